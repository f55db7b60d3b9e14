"""The schedules of django-celery-beat, in the project's database."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import ClassVar

from z4j_celery.apps import choose, live_apps
from z4j_celery.schedulers import running
from z4j_celery.schedulers.forms import DjangoCreate, DjangoUpdate
from z4j_celery.schedulers.plugin import BeatScheduler, publish
from z4j_core.capability import NoParams
from z4j_core.plugins import CreateResult, RunResult
from z4j_core.schedules import Schedule

_APP = "django_celery_beat"


class DjangoCeleryBeat(BeatScheduler):
    """Reads and changes the periodic tasks of a Django project, in any of its processes."""

    name: ClassVar[str] = "django-celery-beat"
    lag_s: ClassVar[float] = 200.0
    """Beat writes last runs every 180 s (`celery.beat.Scheduler.sync_every`), and rests between."""

    def version(self) -> str:
        """Return the library's version."""
        return version("django-celery-beat")

    def store(self) -> str | None:
        """Return the same for the same database, if the project is set up and has the app."""
        loaded = sys.modules.get("django.apps")
        if loaded is None or not loaded.apps.ready or not loaded.apps.is_installed(_APP):
            return None
        from z4j_celery.schedulers import django_rows

        return django_rows.store_id(self.name)

    def schedules(self) -> Sequence[Schedule]:
        """Read all periodic tasks, on a connection of this thread."""
        from z4j_celery.schedulers import django_rows

        return django_rows.read()

    def absences(self) -> dict[str, str]:
        """Return why nothing can be published from here."""
        has_app = bool(live_apps()) or running.running() is not None
        return {} if has_app else {"run_now": "No Celery app has been made in this process."}

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Publish the task of a periodic task with the arguments and options that it has."""
        from z4j_celery.schedulers import django_rows

        message = django_rows.message_of(schedule)
        beat = running.running()
        if beat is not None:
            app = beat.app
        else:
            task = message.task
            app = choose(live_apps(), f"the task {task!r}", lambda one: task in one.tasks)
        return publish(app, schedule, message.task, message.args, message.kwargs, message.options)

    def pause(self, schedule: str, params: NoParams) -> None:
        """Switch a periodic task off; the database then forgets when it last ran."""
        from z4j_celery.schedulers import django_changes

        django_changes.switch(schedule, False)

    def resume(self, schedule: str, params: NoParams) -> None:
        """Switch a periodic task on; its next run is reckoned from now."""
        from z4j_celery.schedulers import django_changes

        django_changes.switch(schedule, True)

    def update(self, schedule: str, params: DjangoUpdate) -> None:
        """Change a periodic task; beat sees it within seconds."""
        from z4j_celery.schedulers import django_changes

        django_changes.update(schedule, params)

    def delete(self, schedule: str, params: NoParams) -> None:
        """Remove a periodic task."""
        from z4j_celery.schedulers import django_changes

        django_changes.delete(schedule)

    def create(self, params: DjangoCreate) -> CreateResult:
        """Add a periodic task, unless there is one of that name."""
        from z4j_celery.schedulers import django_changes

        django_changes.create(params)
        return CreateResult(schedule=params.name)
