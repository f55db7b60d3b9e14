"""A job of APScheduler as a schedule."""

from __future__ import annotations

from typing import Any

from z4j_apscheduler.triggers import cron_of, interval_of, micros, timezone_of, timing_of
from z4j_core.plugins import Owner, Schedule

MEMORY = (
    "The job store of this process is its memory: the job is as the code makes it again when the "
    "process starts."
)
REPLACED = "The application makes this job when it starts, and replaces what is stored."


def schedule_of(
    job: Any, identity: str, is_lasting: bool, is_replaced: bool, last: tuple[int, int] | None
) -> Schedule:
    """Return what a job tells; `last` is its last run here, in microseconds, and their number."""
    trigger, every = job.trigger, interval_of(job.trigger)
    # Jobs of a scheduler that has not been started have no next run yet.
    due = getattr(job, "next_run_time", None)
    undone = None if is_lasting and not is_replaced else (REPLACED if is_lasting else MEMORY)
    return Schedule(
        id=identity,
        name=str(job.name)[:255],
        timing=timing_of(trigger)[:255],
        owner=Owner.STORE if is_lasting else Owner.CODE,
        task=task_of(job)[:255],
        every_s=every or None,
        timezone=timezone_of(trigger),
        arguments={"args": list(job.args), "kwargs": dict(job.kwargs)},
        enabled=due is not None,
        last_run_at=None if last is None else last[0],
        next_run_at=micros(due),
        runs=None if last is None else last[1],
        undone_by=undone,
        values=_values(job, every),
    )


def task_of(job: Any) -> str:
    """Return the name of what a job calls."""
    return str(job.func_ref or getattr(job.func, "__qualname__", job.func))


def _values(job: Any, every: float | None) -> dict[str, Any]:
    values: dict[str, Any] = {"args": list(job.args), "kwargs": dict(job.kwargs)}
    cron = cron_of(job.trigger)
    if every:
        values["every_s"] = every
    elif cron is not None:
        values["cron"] = cron
        if (zone := timezone_of(job.trigger)) is not None:
            values["timezone"] = zone
    return values
