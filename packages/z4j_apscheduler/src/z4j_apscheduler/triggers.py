"""What people read and write of a trigger: an interval, or a line of cron."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from z4j_core.capability import ActionError

_CRONTAB = ("minute", "hour", "day", "month", "day_of_week")


def interval_of(trigger: Any) -> float | None:
    """Return the seconds between two runs, if it runs at an interval."""
    if isinstance(trigger, IntervalTrigger):
        length: timedelta = trigger.interval
        return length.total_seconds()
    return None


def cron_of(trigger: Any) -> str | None:
    """Return the five fields of a line of cron, if that says all of the trigger.

    APScheduler counts the days of the week from Monday, 0, also in such a line.
    """
    if not isinstance(trigger, CronTrigger) or trigger.start_date or trigger.end_date:
        return None
    fields = {field.name: field for field in trigger.fields}
    rest = {name: str(field) for name, field in fields.items() if name not in _CRONTAB}
    if rest.pop("second", "0") != "0" or any(text != "*" for text in rest.values()):
        return None
    return " ".join(str(fields[name]) for name in _CRONTAB)


def timing_of(trigger: Any) -> str:
    """Say in words when it runs."""
    every = interval_of(trigger)
    if every is not None:
        return f"every {every:g} s"
    if isinstance(trigger, DateTrigger):
        return f"once at {trigger.run_date.isoformat()}"
    return cron_of(trigger) or str(trigger)


def timezone_of(trigger: Any) -> str | None:
    """Return the time zone that a cron trigger goes by."""
    zone = getattr(trigger, "timezone", None) if isinstance(trigger, CronTrigger) else None
    return None if zone is None else str(zone)


def micros(moment: datetime | None) -> int | None:
    """Return a moment in microseconds since the epoch."""
    return None if moment is None else int(moment.timestamp() * 1_000_000)


def made_from(
    every_s: float | None, cron: str | None, timezone: str | None, usual: Any
) -> Any | None:
    """Return the trigger that is asked for, or None. `usual` is the zone if none is named."""
    if every_s is not None and cron is not None:
        raise ActionError("Give every_s or cron, not both.")
    if every_s is not None:
        return IntervalTrigger(seconds=every_s, timezone=usual)
    if cron is None:
        if timezone is not None:
            raise ActionError("A time zone goes with cron; give the line of cron too.")
        return None
    try:
        return CronTrigger.from_crontab(cron, timezone=ZoneInfo(timezone) if timezone else usual)
    except (ValueError, KeyError, OSError) as error:
        raise ActionError(
            f"This is no line of cron, or no time zone: {str(error)[:200]}. "
            "Write five fields, such as */5 * * * *, and a zone such as Europe/Berlin."
        ) from None
