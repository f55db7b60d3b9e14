"""The schedules of celery-redbeat, in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, ClassVar

from z4j_celery.apps import live_apps
from z4j_celery.schedulers import running
from z4j_celery.schedulers.forms import RedBeatCreate, RedBeatUpdate
from z4j_celery.schedulers.plugin import BeatScheduler, publish
from z4j_celery.schedulers.redis_entries import Entries
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import CreateResult, RunResult
from z4j_core.schedules import Schedule


class RedBeat(BeatScheduler):
    """Reads and changes the entries of the app that uses RedBeat; beat may run elsewhere."""

    name: ClassVar[str] = "celery-redbeat"

    def version(self) -> str:
        """Return RedBeat's version."""
        return version("celery-redbeat")

    def store(self) -> str | None:
        """Return the same for the same database and prefix."""
        app = _app()
        return None if app is None else Entries(app).store_id(self.name)

    def schedules(self) -> Sequence[Schedule]:
        """Read all entries, on a connection of our own."""
        with _entries() as entries:
            return entries.read()

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Publish the task of an entry; RedBeat itself has no way to run one before its time."""
        with _entries() as entries:
            entry = entries.get(schedule)
            args, kwargs = entry.args or (), entry.kwargs or {}
            return publish(entries.app, schedule, entry.task, args, kwargs, entry.options or {})

    def pause(self, schedule: str, params: NoParams) -> None:
        """Switch an entry off."""
        with _entries() as entries:
            entries.switch(schedule, False)

    def resume(self, schedule: str, params: NoParams) -> None:
        """Switch an entry on, with its next run reckoned from now."""
        with _entries() as entries:
            entries.switch(schedule, True)

    def update(self, schedule: str, params: RedBeatUpdate) -> None:
        """Change an entry; beat sees it when it looks next."""
        with _entries() as entries:
            entries.update(schedule, params)

    def delete(self, schedule: str, params: NoParams) -> None:
        """Remove an entry."""
        with _entries() as entries:
            entries.get(schedule).delete()

    def create(self, params: RedBeatCreate) -> CreateResult:
        """Add an entry, unless there is one of that name."""
        with _entries() as entries:
            entries.create(params)
        return CreateResult(schedule=params.name)


def _app() -> Any:
    """Return the app whose entries these are, or None: beat's own, or one set up for RedBeat."""
    beat = running.running()
    if beat is not None:
        return beat.app if beat.uses_redis else None
    return next((app for app in live_apps() if _uses_redbeat(app)), None)


def _uses_redbeat(app: Any) -> bool:
    if not app.configured:  # to ask would configure it, on the wrong thread
        return False
    return "redbeat" in str(app.conf.beat_scheduler).lower() or "redbeat_redis_url" in app.conf


def _entries() -> Entries:
    app = _app()
    if app is None:
        raise ActionError("No Celery app of this process is set up for RedBeat any more.")
    return Entries(app)
