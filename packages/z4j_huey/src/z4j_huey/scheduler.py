"""The periodic tasks of the consumer in this process, and what can be done with them."""

from __future__ import annotations

import functools
import multiprocessing
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from huey.api import Huey
from huey.consumer import Scheduler as HueyScheduler

from z4j_agent.facts import MAX_NAME, micros, now_us, printed
from z4j_agent.guard import Guard
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Host, Owner, RunResult, Schedule, Scheduler
from z4j_huey.crontab import crontab_of, decider_of
from z4j_huey.places import identity_of, own_copy

_IN_CODE = "Huey's periodic tasks are written in the code: change the decorator and deploy."
_PAUSED = "It is paused, which is Huey's revoke: the consumer would discard the task. Resume first."
_UNDONE = "Flushing the results of this Huey forgets what is revoked, and the task runs again."
_guard = Guard("huey", "Huey")


class HueyPeriodic(Scheduler):
    """Lives where Huey's own scheduler lives: in the consumer, or in the process that it forks.

    Thread-safe: data is read and written through a copy of the `Huey` with its own connection.
    """

    name: ClassVar[str] = "huey-periodic"
    engine: ClassVar[str] = "huey"
    lag_s: ClassVar[float] = 60.0  # Huey looks once a minute, at any second of it

    def __init__(self) -> None:
        self._host: Host | None = None
        self._hueys: list[Any] = []
        self._copies: list[Any] = []
        self._looked: dict[int, datetime] = {}
        self._last: dict[str, int] = {}
        self._own: Callable[..., Any] | None = None

    def version(self) -> str:
        """Return Huey's version."""
        from importlib.metadata import version

        return version("huey")

    def attach(self, host: Host) -> None:
        """Hear of schedulers that begin, and of what they find due."""
        if self._host is not None:
            return
        self._host = host
        self._own = Huey.read_periodic
        Huey.read_periodic = self._observed(self._own)
        HueyScheduler.initialize = _guard.guarded(self.add)
        HueyScheduler.shutdown = _guard.guarded(self._leave)

    def detach(self) -> None:
        """Hear of nothing more."""
        if self._host is None:
            return
        Huey.read_periodic = self._own
        del HueyScheduler.initialize, HueyScheduler.shutdown  # what it inherits does nothing
        for copied in self._copies:
            copied.storage.close()
        self._hueys.clear()
        self._copies.clear()
        self._host = None

    def add(self, scheduler: Any) -> None:
        """Tell the tasks of a scheduler that publishes periodic ones; again does no harm."""
        known = any(scheduler.huey is one for one in self._hueys)
        if self._host is None or known or not scheduler.periodic:
            return
        self._hueys.append(scheduler.huey)
        self._host.ensure_started("scheduler")

    def absences(self) -> dict[str, str]:
        """Return why tasks are not made, changed or deleted from outside."""
        return dict.fromkeys(("update", "delete", "create"), _IN_CODE)

    def store(self) -> str | None:
        """Return where the data is; None in a process without Huey's scheduler."""
        return identity_of(self._hueys) if self._hueys else None

    def schedules(self) -> Sequence[Schedule]:
        """Return the periodic tasks, each with whether it is revoked."""
        found = {}
        for huey, task_class in self._tasks():
            name = _name(huey, task_class)
            is_revoked = bool(huey.is_revoked(task_class))
            found[name] = self._schedule(huey, task_class, name, is_revoked)
        return list(found.values())

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Enqueue the task once."""
        huey, task_class = self._find(schedule)
        with _reported():
            if huey.is_revoked(task_class):
                raise ActionError(_PAUSED)
            task = task_class()
            huey.enqueue(task)
        return RunResult(task_id=str(task.id))

    def pause(self, schedule: str, params: NoParams) -> None:
        """Revoke the task until it is restored."""
        huey, task_class = self._find(schedule)
        with _reported():
            huey.revoke_all(task_class)

    def resume(self, schedule: str, params: NoParams) -> None:
        """Restore the task."""
        huey, task_class = self._find(schedule)
        with _reported():
            huey.restore_all(task_class)

    def _leave(self, _: Any) -> None:
        # A process that multiprocessing forked ends without the interpreter's exit handlers.
        if self._host is not None and multiprocessing.parent_process() is not None:
            self._host.stop()

    def _observed(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        def read_periodic(huey: Any, timestamp: Any) -> Any:
            looked = _now(huey)
            due = own(huey, timestamp)
            note(huey, looked, due)
            return due

        note = _guard.guarded(self._note)
        return read_periodic

    def _note(self, huey: Any, looked: datetime, due: list[Any]) -> None:
        """Note what Huey is about to publish; a worker discards what is revoked."""
        self._looked[id(huey)] = looked
        for task in due:
            if not huey.is_revoked(type(task)):
                self._last[_name(huey, type(task))] = now_us()

    def _tasks(self) -> Iterator[tuple[Any, Any]]:
        """Yield the copies of this process's Hueys with the classes of their periodic tasks."""
        for huey in self._hueys[len(self._copies) :]:
            self._copies.append(own_copy(huey))
        for copied in self._copies:
            for task_class in list(copied._registry._periodic_tasks):
                yield copied, task_class

    def _find(self, schedule: str) -> tuple[Any, Any]:
        for huey, task_class in self._tasks():
            if _name(huey, task_class) == schedule:
                return huey, task_class
        raise ActionError("The consumer knows no such periodic task; it may run another version.")

    def _schedule(self, huey: Any, task_class: Any, name: str, is_revoked: bool) -> Schedule:
        cron = crontab_of(task_class)
        return Schedule(
            id=name,
            name=str(task_class.__name__)[:MAX_NAME],
            timing=(_by(task_class) if cron is None else cron.line())[:MAX_NAME],
            owner=Owner.CODE,
            task=_task(huey, task_class),
            queue=str(huey.name)[:MAX_NAME],
            timezone="UTC" if huey.utc else f"local time of {socket.gethostname()}"[:MAX_NAME],
            enabled=not is_revoked,
            last_run_at=self._last.get(name),
            next_run_at=None if cron is None or is_revoked else self._next(huey, cron),
            undone_by=_UNDONE,
            absent={"run_now": _PAUSED} if is_revoked else {},
        )

    def _next(self, huey: Any, cron: Any) -> int | None:
        """Return the first due minute that Huey has not looked at yet."""
        source = self._hueys[self._copies.index(huey)]
        looked = self._looked.get(id(source), _now(huey) - timedelta(minutes=1))
        due = cron.next_after(looked)
        return None if due is None else micros(due if huey.utc else due.astimezone())


def _now(huey: Any) -> datetime:
    """Return the time that Huey asks about: without a zone, UTC or local."""
    return datetime.now(UTC).replace(tzinfo=None) if huey.utc else datetime.now()  # noqa: DTZ005


def _task(huey: Any, task_class: Any) -> str:
    return str(huey._registry.task_to_string(task_class))[:MAX_NAME]


def _name(huey: Any, task_class: Any) -> str:
    return f"{huey.name}/{_task(huey, task_class)}"[:MAX_NAME]


def _by(task_class: Any) -> str:
    decider = decider_of(task_class)
    return f"when {getattr(decider, '__qualname__', type(decider).__name__)}() says so"


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001 - storages raise what they like
        raise ActionError(
            f"Huey's storage did not take it ({type(error).__name__}: {printed(error)}). "
            "Check the storage, then try again."
        ) from error
