"""The record's waits and runs beside those that publishers and tasks measured themselves."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from z4j_brain.store import schema
from z4j_brain.store.database import Database
from z4j_brain.store.events import EventRecord
from z4j_brain.tasks.attempts import Attempt, attempts_of

NEAR_US = 5_000
WAIT, RUN = "wait", "run"
Key = tuple[str, int]
"""A task's id and the number of its run."""


class Span(NamedTuple):
    """When a run was due, between two moments, and when it began and ended (µs)."""

    due: tuple[int, int]
    began: int
    ended: int

    def wait_is_off(self, wait_us: int) -> int:
        """Return by how much a wait is longer than it can have been, or (below 0) shorter."""
        least, most = (max(self.began - due, 0) for due in reversed(self.due))
        return max(wait_us - most, 0) + min(wait_us - least, 0)


class Difference(NamedTuple):
    """By how much the record says more than was measured (µs), of one run's wait or time."""

    what: str
    run: Key
    us: int


def differences(truth: Iterable[str], database_url: str) -> list[Difference]:
    """Compare each run that the truth tells of with the record, as a task's page shows it."""
    found = []
    recorded = recorded_attempts(database_url)
    for run, span in measured(truth).items():
        attempt = recorded[run]
        assert attempt.wait_us is not None
        assert attempt.run_us is not None
        found.append(Difference(WAIT, run, span.wait_is_off(attempt.wait_us)))
        found.append(Difference(RUN, run, attempt.run_us - (span.ended - span.began)))
    return found


def measured(truth: Iterable[str]) -> dict[Key, Span]:
    """Return what publishers and tasks told, of each run of which they told all."""
    due = dict[Key, tuple[int, int]]()
    began, ended = dict[Key, int](), dict[Key, int]()
    for line in truth:
        what, task_id, number, *told = line.split()
        run, times = (task_id, int(number)), [int(one) // 1_000 for one in told]
        if what == "sent":
            due[run] = times[0], times[1]
        elif what == "started":
            began[run] = times[0]
            if len(times) > 1:
                due[run] = times[1], times[1]
        else:  # the last one counts
            ended[run] = times[0]
    return {run: Span(due[run], began[run], ended[run]) for run in due if run in ended}


def recorded_attempts(database_url: str) -> dict[Key, Attempt]:
    """Return every attempt in the record."""
    events: dict[str, list[EventRecord]] = defaultdict(list)
    for task_id, event in _events(database_url):
        events[task_id].append(event)
    return {
        (task_id, attempt.attempt): attempt
        for task_id, its in events.items()
        for attempt in attempts_of(its)
    }


def _events(database_url: str) -> Iterator[tuple[str, EventRecord]]:
    event, worker = schema.events.c, schema.workers.c
    columns = [event.kind, event.attempt, event.occurred_at, event.received_at, worker.worker_id]
    columns += [event.queue, event.name, event.payload, worker.clock_offset_us]
    database = Database(database_url)
    try:
        with database.read() as connection:
            joined = schema.events.outerjoin(schema.workers, worker.id == event.worker_row)
            for task_id, *rest in connection.execute(
                select(event.task_id, *columns).select_from(joined).order_by(event.occurred_at)
            ):
                yield task_id, EventRecord(*rest)
    finally:
        database.close()


def of(what: str, found: Iterable[Difference]) -> list[int]:
    """Return the absolute differences of waits or of run times, the smallest first."""
    return sorted(abs(one.us) for one in found if one.what == what)


def near(values: Sequence[int]) -> float:
    """Return the share of differences within 5 ms."""
    return sum(us <= NEAR_US for us in values) / len(values)


def described(found: Sequence[Difference]) -> str:
    """Say how far off the record is, a line each for waits and for runs."""
    lines = []
    for what in (WAIT, RUN):
        off = of(what, found)
        late = off[len(off) * 99 // 100]
        lines.append(
            f"{what}: {len(off)} runs, off by {statistics.median(off):.0f} µs (median),"
            f" {late} (p99), {off[-1]} (most); {near(off):.2%} within 5 ms"
        )
    return "\n".join(lines)
