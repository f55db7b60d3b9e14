"""The beat that runs in this very process, if one does.

Nothing but the thread of beat may touch a static schedule: it stands in a file that two threads
cannot share. So that thread leaves a copy behind whenever it has looked what is due.
"""

from __future__ import annotations

import sys
from typing import Any

from z4j_celery.facts import SCHEDULE
from z4j_celery.guard import guarded

_DATABASE = "django_celery_beat.schedulers"
_REDIS = "redbeat.schedulers"


class RunningBeat:
    """One scheduler of Celery at work. Any thread may read; `watch` and `leave` belong to beat."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.entries: tuple[Any, ...] = ()
        """The entries of a static schedule as beat left them."""

    @property
    def app(self) -> Any:
        """The Celery app whose tasks it publishes."""
        return self.scheduler.app

    @property
    def is_static(self) -> bool:
        """Whether its schedules come from the configuration; a stranger's scheduler is unknown."""
        from celery.beat import PersistentScheduler, Scheduler

        is_own = type(self.scheduler) is Scheduler
        return is_own or isinstance(self.scheduler, PersistentScheduler)

    @property
    def uses_database(self) -> bool:
        """Whether it is the scheduler of django-celery-beat."""
        return self._is_a(_DATABASE, "DatabaseScheduler")

    @property
    def uses_redis(self) -> bool:
        """Whether it is the scheduler of celery-redbeat."""
        return self._is_a(_REDIS, "RedBeatScheduler")

    def watch(self) -> None:
        """Have what it publishes name its schedule, and follow a static schedule."""
        scheduler, publish = self.scheduler, self.scheduler.apply_async
        is_static = self.is_static

        def apply_async(entry: Any, *args: Any, **kwargs: Any) -> Any:
            # Called to advance, a static scheduler keeps the entry that it is given.
            if not is_static or kwargs.get("advance") is False:
                entry = _named(entry)
            return publish(entry, *args, **kwargs)

        scheduler.apply_async = apply_async
        if is_static:
            self._follow()

    def leave(self) -> None:
        """Undo `watch`."""
        for name in ("apply_async", "tick"):
            vars(self.scheduler).pop(name, None)

    def _follow(self) -> None:
        tick = self.scheduler.tick

        def tick_and_look(*args: Any, **kwargs: Any) -> Any:
            delay = tick(*args, **kwargs)
            self._look()
            return delay

        self.scheduler.tick = tick_and_look
        self._look()

    @guarded
    def _look(self) -> None:
        self.entries = tuple(self.scheduler.schedule.values())

    def _is_a(self, module: str, name: str) -> bool:
        kind = getattr(sys.modules.get(module), name, None)
        return isinstance(kind, type) and isinstance(self.scheduler, kind)


_running: RunningBeat | None = None


def running() -> RunningBeat | None:
    """Return the beat of this process."""
    return _running


def notice(service: Any) -> None:
    """Remember the beat that is about to start; once. On the thread of beat."""
    global _running
    if _running is None or _running.scheduler is not service.scheduler:
        forget()
        _running = RunningBeat(service.scheduler)
        _running.watch()


def forget() -> None:
    """Leave the beat of this process as it was."""
    global _running
    beat, _running = _running, None
    if beat is not None:
        beat.leave()


def _named(entry: Any) -> Any:
    """Return an entry like this one whose messages name it, as django-celery-beat's do."""
    options = entry.options or {}
    headers = options.get("headers") or {}
    if SCHEDULE in headers:
        return entry
    named = object.__new__(type(entry))
    vars(named).update(vars(entry))
    named.options = {**options, "headers": {**headers, SCHEDULE: entry.name}}
    return named
