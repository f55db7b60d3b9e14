"""What goes wrong when: a schedule is a function of its seed and of the kind of database."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

DatabaseKind = Literal["sqlite", "postgresql"]
DURATION_S = 2.4
"""For how long the emitters emit."""
FIRST_FAULT_S = 0.3
HOUR_S = 3_600

EVERYWHERE = {
    "server_killed": 3,
    "emitter_killed": 3,
    "child_killed": 1,
    "link_reset": 2,
    "link_closed": 1,
    "link_delayed": 1,
    "link_throttled": 1,
    "link_stalled": 1,
    "link_half_open": 2,
    "frames_repeated": 1,
    "spool_full": 1,
    "database_locked": 1,
}
"""Faults and how often they are chosen, relative to one another."""
ONLY_ON: dict[DatabaseKind, dict[str, int]] = {
    "sqlite": {"database_full": 2},
    "postgresql": {
        "backends_terminated": 2,
        "postgres_stopped": 2,
        "database_reset": 1,
        "database_delayed": 1,
        "database_half_open": 1,
    },
}
OF_THE_DATABASE = frozenset({*ONLY_ON["sqlite"], *ONLY_ON["postgresql"], "database_locked"})


class Fault(msgspec.Struct, frozen=True):
    """One fault: seconds after the start, kind, how long it lasts, and whom or how much."""

    at: float
    kind: str
    for_s: float
    target: int
    amount: float

    def __str__(self) -> str:
        return (
            f"{self.at:5.2f} s  {self.kind:<20} for {self.for_s:.2f} s, "
            f"emitter {self.target}, amount {self.amount:g}"
        )


class Emitter(msgspec.Struct, frozen=True):
    """A process that emits events: how many a second, how many forked children do it."""

    name: str
    rate: int
    children: int
    clock_offset_s: int


class Schedule(msgspec.Struct, frozen=True):
    """Everything that one run does."""

    seed: int
    database: DatabaseKind
    emitters: list[Emitter]
    faults: list[Fault]

    def __str__(self) -> str:
        lines = [
            f"  {one.name}: {one.rate} events/s, {one.children} children, "
            f"clock {one.clock_offset_s:+d} s"
            for one in self.emitters
        ]
        lines += [f"  {fault}" for fault in self.faults]
        return "\n".join(lines)

    @property
    def again(self) -> str:
        """The command that repeats it."""
        return f"python -m tests.faults --database {self.database} --only {self.seed}"

    def has(self, *kinds: str) -> bool:
        """Tell whether one of these faults is in it."""
        return any(fault.kind in kinds for fault in self.faults)


def make_schedule(seed: int, database: DatabaseKind) -> Schedule:
    """Return the schedule of a seed: two or three emitters, three to six faults."""
    random = Random(f"{seed} {database}")
    emitters = [_emitter(random, number) for number in range(random.randint(2, 3))]
    weights = {**EVERYWHERE, **ONLY_ON[database]}
    kinds = random.choices(list(weights), list(weights.values()), k=random.randint(3, 6))
    faults = [_fault(random, kind, emitters) for kind in kinds]
    return Schedule(seed, database, emitters, sorted(faults, key=lambda fault: fault.at))


def _emitter(random: Random, number: int) -> Emitter:
    is_forking = number == 1 and random.random() < 0.5
    is_off = random.random() < 0.25
    return Emitter(
        name=f"w{number}",
        rate=random.choice((100, 300, 600)),
        children=2 if is_forking else 0,
        clock_offset_s=random.choice((-HOUR_S, HOUR_S)) if is_off else 0,
    )


def _fault(random: Random, kind: str, emitters: list[Emitter]) -> Fault:
    target = random.randrange(len(emitters))
    forking = [index for index, one in enumerate(emitters) if one.children]
    if kind == "child_killed":
        if forking:
            target = forking[0]
        else:
            kind = "emitter_killed"
    return Fault(
        at=round(random.uniform(FIRST_FAULT_S, DURATION_S - 0.2), 2),
        kind=kind,
        for_s=round(random.uniform(0.1, 0.9), 2),
        target=target,
        amount=_amount(random, kind),
    )


def _amount(random: Random, kind: str) -> float:
    if kind in ("link_delayed", "database_delayed"):
        return random.choice((0.01, 0.05, 0.2))  # seconds a chunk
    if kind == "link_throttled":
        return random.choice((20_000, 100_000))  # bytes a second
    return 0.0
