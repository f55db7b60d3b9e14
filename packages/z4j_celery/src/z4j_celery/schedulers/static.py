"""The schedules of celery beat itself, which stand in the application's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import celery

from z4j_celery.brokers import identity_of
from z4j_celery.schedulers import running
from z4j_celery.schedulers.entries import told
from z4j_celery.schedulers.plugin import BeatScheduler, gone, publish
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import RunResult
from z4j_core.schedules import Owner, Schedule, store_id

_CODE = (
    "The schedules of celery beat are part of the application: change beat_schedule in its "
    "configuration and start beat again."
)
_SWITCH = (
    "Beat has no switch for a schedule of its configuration: take it out of beat_schedule and "
    "start beat again."
)


class CeleryBeat(BeatScheduler):
    """Reads the schedules of the beat that runs in this process; no other knows when they ran."""

    name: ClassVar[str] = "celery-beat"

    def version(self) -> str:
        """Return Celery's version."""
        return str(celery.__version__)

    def store(self) -> str | None:
        """Return the same for every beat of this application on this broker."""
        beat = _beat()
        if beat is None:
            return None
        connection = beat.app.connection_for_write()  # describes a connection and opens none
        driver = str(connection.get_transport_cls().driver_type)
        return store_id(self.name, identity_of(connection, driver), beat.app.main)

    def schedules(self) -> Sequence[Schedule]:
        """Return the schedules as beat left them when it last looked what is due."""
        beat = _beat()
        entries = () if beat is None else beat.entries
        found = (_schedule(entry) for entry in entries)
        return [schedule for schedule in found if schedule is not None]

    def absences(self) -> dict[str, str]:
        """Return why static schedules can only be run."""
        changes = dict.fromkeys(("create", "update", "delete"), _CODE)
        return {**changes, "pause": _SWITCH, "resume": _SWITCH}

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Publish the task of an entry with the arguments and options that it has in beat."""
        beat = _beat()
        if beat is None:
            raise ActionError("Beat does not run in this process any more; start it again.")
        for entry in beat.entries:
            if entry.name == schedule:
                args, kwargs = entry.args or (), entry.kwargs or {}
                options = entry.options or {}
                return publish(beat.app, schedule, entry.task, args, kwargs, options)
        raise gone(schedule)


def _beat() -> running.RunningBeat | None:
    beat = running.running()
    return beat if beat is not None and beat.is_static else None


def _schedule(entry: Any) -> Schedule | None:
    runs = int(entry.total_run_count or 0)
    return told(
        name=entry.name,
        schedule=entry.schedule,
        owner=Owner.CODE,
        task=entry.task,
        args=entry.args,
        kwargs=entry.kwargs,
        options=entry.options,
        since=entry.last_run_at,
        # An entry that never ran has the time of its first start there.
        last_run=entry.last_run_at if runs else None,
        runs=runs,
    )
