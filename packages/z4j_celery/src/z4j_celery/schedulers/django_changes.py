"""Changes of periodic tasks in a Django project's database. Needs Django set up.

Always by the model's `save` and `delete`: they tell beat that something changed, and
`QuerySet.update` does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from z4j_agent.facts import printed
from z4j_celery.schedulers.django_rows import database, row_of
from z4j_celery.schedulers.forms import DjangoCreate, DjangoUpdate, crontab_of, the_one_of
from z4j_core.capability import ActionError

MAX_EVERY = (1 << 31) - 1
_TIMINGS = ("every_s", "crontab", "solar_event", "at")
_FIELDS = ("interval", "crontab", "solar", "clocked")
_CRON = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def switch(name: str, enabled: bool) -> None:
    """Switch a periodic task on or off."""
    with database() as alias:
        row = row_of(name, alias)
        row.enabled = enabled
        _save(row, alias, {"enabled"})


def delete(name: str) -> None:
    """Remove a periodic task."""
    with database() as alias:
        row_of(name, alias).delete(using=alias)


def create(params: DjangoCreate) -> None:
    """Add a periodic task."""
    with database() as alias:
        if PeriodicTask.objects.using(alias).filter(name=params.name).exists():
            raise ActionError(f"There is a schedule {params.name!r} already; choose another name.")
        row = PeriodicTask(name=params.name, enabled=params.enabled)
        if the_one_of(params, *_TIMINGS) is None:
            raise ActionError(f"Say when it runs: give one of {', '.join(_TIMINGS)}.")
        _apply(row, params, alias)
        _checked(lambda: row.full_clean())
        row.save(using=alias)


def update(name: str, params: DjangoUpdate) -> None:
    """Change what is given."""
    with database() as alias:
        row = row_of(name, alias)
        _save(row, alias, _apply(row, params, alias))


def _save(row: Any, alias: str, changed: set[str]) -> None:
    """Write these fields and no others: beat counts its runs in the same row."""
    if not row.enabled:
        changed = changed | {"last_run_at"}  # which the model forgets
    _checked(lambda: row.full_clean())
    row.save(using=alias, update_fields=changed | {"date_changed"})


def _apply(row: Any, params: DjangoUpdate, alias: str) -> set[str]:
    """Set what is given, and return the names of the fields that were."""
    changed = set()
    for name in ("task", "one_off"):
        if getattr(params, name) is not None:
            setattr(row, name, getattr(params, name))
            changed.add(name)
    for name in ("args", "kwargs"):
        if getattr(params, name) is not None:
            setattr(row, name, json.dumps(getattr(params, name)))
            changed.add(name)
    if params.queue is not None:
        row.queue = params.queue or None
        changed.add("queue")
    timing = _timing(row, params, alias)
    if timing is not None:
        for field in _FIELDS:
            setattr(row, field, None)
        field, value = timing
        setattr(row, field, value)
        changed.update(_FIELDS)
        if field == "clocked":
            row.one_off = True
            changed.add("one_off")
    return changed


def _timing(row: Any, params: DjangoUpdate, alias: str) -> tuple[str, Any] | None:
    """Return the field that says when it runs and the row that it points to, if that changes."""
    kind = the_one_of(params, *_TIMINGS)
    if params.timezone and kind != "crontab" and (kind or row.crontab is None):
        raise ActionError("A time zone belongs to a crontab; give that as well.")
    match kind:
        case "every_s":
            return "interval", _row(IntervalSchedule, alias, **_interval(params.every_s or 0.0))
        case "crontab":
            return "crontab", _crontab(row, params, alias)
        case "solar_event":
            return "solar", _solar(params, alias)
        case "at":
            return "clocked", _row(ClockedSchedule, alias, clocked_time=_moment(params.at))
    if not params.timezone:
        return None
    fields = {name: getattr(row.crontab, name) for name in _CRON}
    return "crontab", _row(CrontabSchedule, alias, **fields, timezone=_zone(params.timezone))


def _row(model: Any, alias: str, **fields: Any) -> Any:
    """Return the row with these fields, made if there is none. Rows are shared, never changed."""
    found = model.objects.using(alias).filter(**fields).first()
    if found is None:
        found = model(**fields)
        _checked(lambda: found.full_clean())
        found.save(using=alias)
    return found


def _interval(every_s: float) -> dict[str, Any]:
    if every_s == int(every_s):
        return {"every": int(every_s), "period": IntervalSchedule.SECONDS}
    micros = round(every_s * 1_000_000)
    if micros > MAX_EVERY:
        raise ActionError("Intervals over 35 minutes have to be whole seconds.")
    return {"every": micros, "period": IntervalSchedule.MICROSECONDS}


def _crontab(row: Any, params: DjangoUpdate, alias: str) -> Any:
    crontab_of(params.crontab or "")
    minute, hour, day, month, weekday = (params.crontab or "").split()
    fields = dict(zip(_CRON, (minute, hour, day, month, weekday), strict=True))
    if params.timezone:
        zone: Any = _zone(params.timezone)
    elif row.crontab is not None:
        zone = row.crontab.timezone
    else:
        zone = CrontabSchedule().timezone  # the project's own
    return _row(CrontabSchedule, alias, **fields, timezone=zone)


def _solar(params: DjangoUpdate, alias: str) -> Any:
    if params.latitude is None or params.longitude is None:
        raise ActionError("A solar event needs latitude and longitude.")
    place = {"latitude": round(params.latitude, 6), "longitude": round(params.longitude, 6)}
    found = _row(SolarSchedule, alias, event=params.solar_event, **place)
    _checked(lambda: found.schedule)  # needs a library that Celery does not bring along
    return found


def _moment(at: Any) -> Any:
    if settings.USE_TZ:
        return at
    from django.utils.timezone import get_default_timezone, make_naive

    return make_naive(at.astimezone(UTC), get_default_timezone())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ActionError(f"There is no time zone {name[:63]!r}; Europe/Berlin is one.") from None


def _checked(check: Callable[[], Any]) -> None:
    """Run a check of the models; what they refuse is told to the person who asked."""
    from celery.exceptions import ImproperlyConfigured

    try:
        check()
    except ValidationError as error:
        raise ActionError(" ".join(error.messages)[:1_000]) from None
    except (ImportError, ImproperlyConfigured) as error:
        raise ActionError(printed(error)[:1_000]) from None
