"""The schedules of the TaskIQ schedulers that run in this process, and what can be done."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from taskiq import ScheduledTask
from taskiq.cli.scheduler import run as library
from taskiq.kicker import AsyncKicker
from taskiq.scheduler.scheduled_task import CronSpec

from z4j_agent.guard import Guard
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import CreateResult, Host, RunResult, Schedule, Scheduler
from z4j_taskiq.parameters import CreateParams, UpdateParams
from z4j_taskiq.running import Running
from z4j_taskiq.sources import Entry, entries, identity_of, is_in_code, is_writable
from z4j_taskiq.telling import IN_CODE, NO_STORE, Teller
from z4j_taskiq.timing import checked

_NO_PAUSE = "TaskIQ cannot pause a schedule: delete it, and make it again when it shall run."
_GONE = "The schedule is gone: somebody deleted it."
_guard = Guard("taskiq", "TaskIQ")


class TaskiqSchedules(Scheduler):
    """What each `SchedulerLoop` of this process works with; it reads its sources once a minute.

    Thread-safe: what needs I/O is done in the scheduler's own event loop.
    """

    name: ClassVar[str] = "taskiq-scheduler"
    engine: ClassVar[str] = "taskiq"

    def __init__(self) -> None:
        self._host: Host | None = None
        self._running: list[Running] = []
        self._teller = Teller()
        self._own: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def version(self) -> str:
        """Return TaskIQ's version."""
        from importlib.metadata import version

        return version("taskiq")

    def attach(self, host: Host) -> None:
        """Hear of schedulers that begin and end, and of what they send."""
        if self._host is not None:
            return
        self._host = host
        self._own = (library.SchedulerLoop.run, library.send)
        library.SchedulerLoop.run = self._observed_run(library.SchedulerLoop.run)  # type: ignore[method-assign]
        library.send = self._observed_send(library.send)

    def detach(self) -> None:
        """Hear of nothing more."""
        if self._own is not None:
            library.SchedulerLoop.run, library.send = self._own  # type: ignore[method-assign]
        self._own = self._host = None
        self._running.clear()

    def watch(self, running: Running) -> None:
        """Tell the schedules of a scheduler that runs."""
        self._running.append(running)
        if self._host is not None:
            self._host.ensure_started("scheduler")

    def absences(self) -> dict[str, str]:
        """Return what TaskIQ has no way to do, and what its sources here do not take."""
        absent = dict.fromkeys(("pause", "resume"), _NO_PAUSE)
        if next(self._writable(), None) is None:
            absent |= dict.fromkeys(("update", "delete", "create"), NO_STORE)
        return absent

    def store(self) -> str | None:
        """Return which sources these are; None while no scheduler runs here."""
        return identity_of(self._running[0].scheduler) if self._running else None

    def schedules(self) -> Sequence[Schedule]:
        """Return what the schedulers work with; no I/O."""
        found = {}
        for running, entry in self._entries():
            found[entry.id] = self._teller.schedule(running.loop, entry)
        return list(found.values())

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Send the schedule's task once, with an id of its own."""
        running, entry = self._find(schedule)

        async def send() -> str:
            task = entry.task
            kicker: Any = AsyncKicker(task.task_name, running.scheduler.broker, dict(task.labels))
            sent = await kicker.with_labels(schedule_id=task.schedule_id).kiq(
                *task.args, **task.kwargs
            )
            return str(sent.task_id)

        return RunResult(task_id=running.call(send()))

    def update(self, schedule: str, params: UpdateParams) -> None:
        """Put another schedule in the place of this one, under its id."""
        running, entry = self._find(schedule)
        changes = checked(params.every_s, params.cron, params.timezone)
        for name in ("args", "kwargs"):
            if (value := getattr(params, name)) is not None:
                changes[name] = value

        async def change() -> None:
            old = await self._present(running, entry)
            new = ScheduledTask.model_validate({**old.model_dump(), **changes})
            await entry.source.delete_schedule(old.schedule_id)
            try:
                await entry.source.add_schedule(new)
            except Exception:
                await entry.source.add_schedule(old)
                raise
            await running.read_again()

        running.call(change())

    def delete(self, schedule: str, params: NoParams) -> None:
        """Remove a schedule, from the scheduler's memory too."""
        running, entry = self._find(schedule)

        async def remove() -> None:
            old = await self._present(running, entry)
            await entry.source.delete_schedule(old.schedule_id)
            await running.read_again()

        running.call(remove())

    def create(self, params: CreateParams) -> CreateResult:
        """Add a schedule to the first source that takes it."""
        timing = checked(params.every_s, params.cron, params.timezone)
        if not timing:
            raise ActionError("Say when it runs: give every_s or cron.")
        running, source = next(self._writable(), (None, None))
        if running is None:
            raise ActionError(NO_STORE)
        task = running.scheduler.broker.find_task(params.task)
        if task is None:
            raise ActionError(
                f"The scheduler knows no task {params.task!r}. Name one of the modules that it "
                "imports, or start it with the module of this task."
            )
        kicker: Any = task.kicker().with_broker(running.scheduler.broker)

        async def add() -> str:
            if timing["cron"] is None:
                schedule, when = kicker.schedule_by_interval, timing["interval"]
            else:
                schedule, when = kicker.schedule_by_cron, _spec(timing)
            created: Any = await schedule(source, when, *params.args, **params.kwargs)
            await running.read_again()
            return str(created.schedule_id)

        return CreateResult(schedule=running.call(add()))

    def _observed_run(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        async def run(loop: Any, *args: Any, **options: Any) -> Any:
            running = Running(loop, asyncio.get_running_loop())
            watch(running)
            try:
                return await own(loop, *args, **options)
            finally:
                self._running = [one for one in self._running if one is not running]

        watch = _guard.guarded(self.watch)
        return run

    def _observed_send(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        async def send(scheduler: Any, source: Any, task: Any) -> None:
            await own(scheduler, source, task)
            note(task)

        note = _guard.guarded(self._teller.note)
        return send

    def _entries(self) -> Iterator[tuple[Running, Entry]]:
        for running in list(self._running):
            for entry in entries(running.loop.scheduled_tasks):
                yield running, entry

    def _find(self, schedule: str) -> tuple[Running, Entry]:
        for running, entry in self._entries():
            if entry.id == schedule:
                return running, entry
        raise ActionError(_GONE)

    def _writable(self) -> Iterator[tuple[Running, Any]]:
        for running in list(self._running):
            for source in running.scheduler.sources:
                if is_writable(source):
                    yield running, source

    async def _present(self, running: Running, entry: Entry) -> Any:
        """Return a schedule as its source has it now."""
        if not is_writable(entry.source):
            raise ActionError(IN_CODE if is_in_code(entry.source) else NO_STORE)
        for task in await entry.source.get_schedules():
            if task.schedule_id == entry.task.schedule_id:
                return task
        await running.read_again()
        raise ActionError(_GONE)


def _spec(timing: dict[str, Any]) -> CronSpec:
    minutes, hours, days, months, weekdays = timing["cron"].split()
    return CronSpec(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        offset=timing["cron_offset"],
    )
