"""What is told of a schedule; what it runs with stands in TaskIQ's `SchedulerLoop`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from z4j_agent.facts import MAX_NAME, micros, now_us
from z4j_core.plugins import Owner, Schedule
from z4j_taskiq.sources import Entry, is_in_code, is_writable, name_of
from z4j_taskiq.timing import interval_of, next_after, timezone_of, timing_of

MAX_REMEMBERED = 10_000
IN_CODE = "This schedule is a label of the task in the code: change it there and deploy."
NO_STORE = (
    "Schedules can be made, changed and deleted in Redis only: give the scheduler a "
    "ListRedisScheduleSource of taskiq-redis."
)


class Teller:
    """Remembers when schedules ran and are due. One thread tells; any may note a run."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._due: dict[str, tuple[Any, datetime | None]] = {}

    def note(self, task: Any) -> None:
        """Remember that a schedule's task was sent now."""
        if task.cron is not None or task.interval is not None:
            if len(self._last) >= MAX_REMEMBERED:
                self._last.clear()
            self._last[task.schedule_id] = now_us()

    def schedule(self, loop: Any, entry: Entry) -> Schedule:
        """Return what is known of a schedule; no I/O."""
        task, every = entry.task, interval_of(entry.task)
        reason = IN_CODE if is_in_code(entry.source) else NO_STORE
        can_be_changed = is_writable(entry.source)
        due = self._due_at(loop, task) if every is None else self._due_again(loop, task, every)
        return Schedule(
            id=entry.id,
            name=name_of(entry),
            timing=timing_of(task)[:MAX_NAME],
            owner=Owner.CODE if is_in_code(entry.source) else Owner.STORE,
            task=str(task.task_name)[:MAX_NAME],
            every_s=None if every is None else float(every),
            timezone=timezone_of(task),
            arguments={"args": list(task.args), "kwargs": dict(task.kwargs)},
            last_run_at=self._last.get(task.schedule_id),
            next_run_at=micros(due),
            absent={} if can_be_changed else dict.fromkeys(("update", "delete"), reason),
            values=_values(task, every) if can_be_changed else {},
        )

    def _due_at(self, loop: Any, task: Any) -> datetime | None:
        """Return when a line of cron is due; what is due stays so until the scheduler takes it."""
        timing = (task.cron, task.cron_offset)
        known, due = self._due.get(task.schedule_id, (None, None))
        ran = loop.cron_tasks_last_run.get(task.schedule_id)
        if known != timing or due is None or (ran is not None and ran >= due):
            if len(self._due) >= MAX_REMEMBERED:
                self._due.clear()
            due = next_after(*timing, datetime.now(UTC))
            self._due[task.schedule_id] = (timing, due)
        return due

    def _due_again(self, loop: Any, task: Any, every: int) -> datetime | None:
        ran: datetime | None = loop.interval_tasks_last_run.get(task.schedule_id)
        return None if ran is None else ran + timedelta(seconds=every)


def _values(task: Any, every: int | None) -> dict[str, Any]:
    values: dict[str, Any] = {"args": list(task.args), "kwargs": dict(task.kwargs)}
    if every is not None:
        values["every_s"] = every
    elif not isinstance(task.cron_offset, timedelta):
        values["cron"] = task.cron
        if task.cron_offset is not None:
            values["timezone"] = task.cron_offset
    return values
