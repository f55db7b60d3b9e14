"""Periodiq's schedules: options of actors in the code, which every process of the app can read.

They are told by a process that runs messages or publishes them; Periodiq's own has no other words.
A schedule that a newer deployment brings is told once a process runs it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from z4j_agent.facts import printed
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Host, Owner, RunResult, Schedule, Scheduler, store_id
from z4j_dramatiq.brokers import identity_of
from z4j_dramatiq.connections import publishing

_IN_CODE = "Periodiq's schedules are written in the code: change the actor's option and deploy."


class PeriodiqScheduler(Scheduler):
    """Reads the actors of the global broker, and of the brokers of this process's workers."""

    name: ClassVar[str] = "periodiq"
    engine: ClassVar[str] = "dramatiq"

    def version(self) -> str:
        """Return Periodiq's version."""
        from importlib.metadata import version

        return version("periodiq")

    def attach(self, host: Host) -> None:
        """Nothing is to be done: actors are looked at when they are asked for."""

    def detach(self) -> None:
        """Nothing was done."""

    def absences(self) -> dict[str, str]:
        """Return why schedules cannot be changed."""
        return dict.fromkeys(("pause", "resume", "update", "delete", "create"), _IN_CODE)

    def store(self) -> str | None:
        """Return the broker's name; None without one, or if the code does not use Periodiq."""
        broker = _broker()
        if broker is None or "periodiq" not in sys.modules:
            return None
        return store_id("periodiq", identity_of(broker))

    def schedules(self) -> Sequence[Schedule]:
        """Return the periodic actors. What they have run is in the record, not in Periodiq."""
        broker = _broker()
        return [] if broker is None else [_schedule(actor) for actor in _periodic(broker)]

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Send the actor a message, as Periodiq calls it: manually triggered."""
        broker = _broker()
        actor = None if broker is None else broker.actors.get(schedule)
        if actor is None or "periodic" not in actor.options:
            raise ActionError(
                f"This process knows no periodic actor {schedule!r}; send the command to a worker "
                "that imports its module."
            )
        try:
            with publishing(broker):
                return RunResult(task_id=str(actor.send().message_id))
        except Exception as error:  # noqa: BLE001 - brokers raise what they like
            raise ActionError(
                f"The message could not be published ({type(error).__name__}: {printed(error)}). "
                "Check the broker, then try again."
            ) from error


def _broker() -> Any:
    """Return the global broker; asking Dramatiq for it would make one."""
    from dramatiq import broker

    return broker.global_broker


def _periodic(broker: Any) -> list[Any]:
    return [actor for actor in list(broker.actors.values()) if "periodic" in actor.options]


def _schedule(actor: Any) -> Schedule:
    spec = actor.options["periodic"]
    return Schedule(
        id=str(actor.actor_name)[:255],
        name=str(actor.actor_name)[:255],
        timing=str(spec)[:255],
        owner=Owner.CODE,
        task=str(actor.actor_name)[:255],
        queue=str(actor.queue_name)[:255],
        timezone=_timezone(),
        next_run_at=_next_run(spec),
        absent=dict.fromkeys(("pause", "resume", "update", "delete"), _IN_CODE),
    )


def _next_run(spec: Any) -> int | None:
    """Return the next time in microseconds since the epoch, by Periodiq's own reckoning."""
    import pendulum

    try:
        due: datetime = spec.next_valid_date(pendulum.now())
    except Exception:  # noqa: BLE001 - a spec that never comes true, such as the 31st of February
        return None
    return int(due.timestamp()) * 1_000_000


def _timezone() -> str | None:
    import pendulum

    name = pendulum.now().timezone_name
    return str(name)[:255] if name else None
