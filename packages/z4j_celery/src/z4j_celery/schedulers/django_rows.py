"""Periodic tasks as the database of a Django project holds them. Needs Django set up."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import close_old_connections, connections, router, transaction
from django.db.models.functions import Substr
from django_celery_beat.models import PeriodicTask
from kombu.utils import json
from msgspec import structs

from z4j_agent.facts import now_us
from z4j_agent.places import is_local
from z4j_celery.apps import live_apps
from z4j_celery.facts import micros
from z4j_celery.schedulers import running
from z4j_celery.schedulers.entries import is_name, told
from z4j_celery.schedulers.plugin import gone
from z4j_celery.schedulers.timing import SECOND, cron_text
from z4j_core import schedules
from z4j_core.capability import ActionError
from z4j_core.schedules import MAX_SCHEDULES, Owner, Schedule

TIMEOUT = "5s"
MAX_ARGUMENTS = 65_536
"""Characters of arguments that are read; longer ones are not told."""
SYNC_US = 200 * SECOND
"""Beat writes down what it ran at least every 180 seconds (`Scheduler.sync_every`)."""
_RESTORED = (
    "Beat writes this entry of beat_schedule again as the code has it when it starts; "
    "whether it is paused stays."
)
_loads: Any = json.loads  # reads what beat reads: times and UUIDs too
_OPTIONS = ("queue", "exchange", "routing_key", "priority")
_TIMINGS = ("interval", "crontab", "solar", "clocked")


class Message(NamedTuple):
    """What a periodic task publishes."""

    task: str
    args: Any
    kwargs: Any
    options: dict[str, Any]


def store_id(scheduler: str) -> str:
    """Return a name for the database, from its place and never from who signs in; no I/O."""
    place = connections.databases[router.db_for_write(PeriodicTask)]
    engine, host, name = str(place["ENGINE"]), str(place["HOST"] or "").lower(), place["NAME"]
    is_file = engine.endswith("sqlite3")
    if is_file:
        name = Path(str(name)).absolute()
    machine = [socket.gethostname()] if is_file or host[:1] == "/" or is_local(host) else []
    return schedules.store_id(scheduler, engine, host, place["PORT"], str(name), *machine)


@contextmanager
def database(alias: str | None = None) -> Iterator[str]:
    """Open a transaction on this thread's own connection, and close that after.

    With a time limit on PostgreSQL; other databases have theirs in the settings of the project. On
    SQLite each statement is its own: one that reads and then writes is refused, rather than made to
    wait, if beat wrote in between.
    """
    alias = alias or router.db_for_write(PeriodicTask)
    close_old_connections()
    connection = connections[alias]
    is_sqlite = connection.vendor == "sqlite"
    try:
        with nullcontext() if is_sqlite else transaction.atomic(using=alias):
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT])
            yield alias
    finally:
        connection.close()


def read() -> list[Schedule]:
    """Return all periodic tasks; those that will not be told anyway by their names only."""
    apps, live = _apps(), _live()
    from_code = {str(name) for app in apps for name in _schedule_of(app)}
    app = apps[0] if apps else None
    with database(router.db_for_read(PeriodicTask)) as alias:
        rows = PeriodicTask.objects.using(alias).order_by("name")
        names = list(rows.values_list("name", flat=True))
        shown = rows.select_related(*_TIMINGS).defer("args", "kwargs", "headers", "description")
        # A text field holds anything, and this is asked every few seconds.
        shown = shown.annotate(
            shown_args=Substr("args", 1, MAX_ARGUMENTS + 1),
            shown_kwargs=Substr("kwargs", 1, MAX_ARGUMENTS + 1),
        )
        found = [_told(row, live, row.name in from_code, app) for row in shown[:MAX_SCHEDULES]]
    rest = [_bare(name, name in from_code) for name in names[MAX_SCHEDULES:] if is_name(name)]
    return [schedule for schedule in [*found, *rest] if schedule is not None]


def row_of(name: str, alias: str) -> Any:
    """Return the periodic task of that name. Raise `ActionError` if there is none."""
    row = PeriodicTask.objects.using(alias).select_related(*_TIMINGS).filter(name=name).first()
    if row is None:
        raise gone(name)
    return row


def message_of(name: str) -> Message:
    """Return what beat would publish for a periodic task."""
    with database() as alias:
        row = row_of(name, alias)
    try:
        texts = (row.args or "[]", row.kwargs or "{}", row.headers or "{}")
        args, kwargs, headers = map(_loads, texts)
        if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(headers, dict)):
            raise ValueError("not a list and two objects")
    except (ValueError, RecursionError):
        raise ActionError(
            "The arguments or headers of this schedule are no JSON; change them first."
        ) from None
    options = {name: getattr(row, name) for name in _OPTIONS}
    options["expires"] = row.expires_
    kept = {name: value for name, value in options.items() if value is not None}
    return Message(row.task, args, kwargs, {**kept, "headers": headers})


def values_of(row: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return what the form of `update` begins with."""
    values: dict[str, Any] = {"task": row.task, "queue": row.queue, "args": args, "kwargs": kwargs}
    if row.interval is not None:
        values["every_s"] = row.interval.schedule.seconds
    elif row.crontab is not None:
        values["crontab"] = cron_text(row.crontab.schedule)
        values["timezone"] = str(row.crontab.timezone)
    elif row.solar is not None:
        values["solar_event"] = row.solar.event
        values |= {"latitude": float(row.solar.latitude), "longitude": float(row.solar.longitude)}
    elif row.clocked is not None:
        values["at"] = row.clocked.schedule.clocked_time.isoformat()
    if row.clocked is None:
        values["one_off"] = row.one_off
    return {name: value for name, value in values.items() if value is not None}


def _told(row: Any, live: dict[str, Any], is_code: bool, app: Any) -> Schedule | None:
    last, runs, since = _runs(row, live.get(row.name))
    args, kwargs = _json(row.shown_args, list), _json(row.shown_kwargs, dict)
    try:
        schedule, values = row.schedule, values_of(row, args, kwargs)
    except Exception:  # noqa: BLE001 - a row that beat itself could not read
        return _bare(row.name, is_code, "cannot be read")
    found = told(
        name=row.name,
        schedule=schedule,
        owner=_owner(is_code),
        task=row.task,
        args=args,
        kwargs=kwargs,
        options={"queue": row.queue},
        since=since,
        last_run=last,
        runs=runs,
        enabled=row.enabled,
        app=app,
        undone_by=_RESTORED if is_code else None,
        values=values,
    )
    return None if found is None else _with_next(found, row, row.name in live)


def _runs(row: Any, live: Any) -> tuple[datetime | None, int, datetime]:
    """Return last run, number of runs and the time from which the next is reckoned.

    Beat writes down what it ran every few minutes; in its own process it can be asked. The time
    that it holds of one that it has not run is no run's.
    """
    begun = row.last_run_at or row.date_changed or datetime.now(UTC)
    if live is None:
        return row.last_run_at, row.total_run_count, begun
    if live.total_run_count > row.total_run_count:
        return live.last_run_at, live.total_run_count, live.last_run_at
    return row.last_run_at, row.total_run_count, begun


def _with_next(told: Schedule, row: Any, is_live: bool) -> Schedule:
    """Return the schedule with what the row says beyond its timing of when it runs next."""
    at, now = told.next_run_at, now_us()
    if at is None:
        return told
    start = None if row.start_time is None else micros(row.start_time)
    if start is not None and (start > now or told.last_run_at is None):
        zone = row.start_time.tzinfo if row.crontab is None else row.crontab.timezone
        at = micros(row.due_start_time(zone or UTC))
    is_over = row.one_off and bool(row.total_run_count)
    ends = None if row.expires is None else micros(row.expires)
    if is_over or (at is not None and ends is not None and at >= ends):
        at = None
    if at is not None and not is_live and now - SYNC_US < at < now:
        at = None  # it has run, perhaps, and beat has not written that down
    return structs.replace(told, next_run_at=at)


def _bare(name: str, is_code: bool, timing: str = "") -> Schedule | None:
    if not is_name(name):
        return None
    return Schedule(id=name, name=name, timing=timing, owner=_owner(is_code))


def _owner(is_code: bool) -> Owner:
    return Owner.CODE if is_code else Owner.STORE


def _json(text: str | None, kind: type[Any]) -> Any:
    if text is None or len(text) > MAX_ARGUMENTS:
        return None
    try:
        value = _loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, kind) else None


def _live() -> dict[str, Any]:
    """Return the rows that the beat of this process holds, by name."""
    beat = running.running()
    if beat is None or not beat.uses_database:
        return {}
    # Replaced as a whole by beat; the property of that name would ask the database.
    entries = dict(getattr(beat.scheduler, "_schedule", None) or {})
    return {name: entry.model for name, entry in entries.items()}


def _apps() -> list[Any]:
    beat = running.running()
    return live_apps() if beat is None else [beat.app]


def _schedule_of(app: Any) -> Any:
    """Return what beat writes at its start, as far as the app tells."""
    if app.configured:
        return app.conf.beat_schedule
    # To ask the app would configure it, on the wrong thread.
    return getattr(settings, f"{app.namespace or 'CELERY'}_BEAT_SCHEDULE", ())
