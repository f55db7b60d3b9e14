"""When a schedule of Celery runs: in words, and next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from celery.schedules import BaseSchedule, crontab, solar
from celery.schedules import schedule as interval

from z4j_agent.facts import storable
from z4j_celery.facts import micros

SECOND = 1_000_000


class Timing(NamedTuple):
    """What `Schedule` says of when it runs."""

    text: str
    every_s: float | None = None
    timezone: str | None = None


def of_app(schedule: Any, app: Any) -> Any:
    """Return a schedule like this one that goes by the time zone of this app.

    One without an app asks for the current one, which is kept per thread, and keeps the answer: the
    schedule of beat must not be asked on another thread than beat's.
    """
    if app is None or not isinstance(schedule, BaseSchedule):
        return schedule
    own = object.__new__(type(schedule))
    vars(own).update(vars(schedule))
    own.app = app
    return own


def timing_of(schedule: Any) -> Timing:
    """Return when a schedule runs, in words."""
    if isinstance(schedule, crontab):
        return Timing(cron_text(schedule), timezone=zone_name(schedule.tz))
    if isinstance(schedule, interval):
        seconds = float(schedule.seconds)
        return Timing(f"every {seconds_text(seconds)}", every_s=seconds or None)
    if isinstance(schedule, solar):
        return Timing(f"{schedule.event} at {schedule.lat}, {schedule.lon}")
    moment = getattr(schedule, "clocked_time", None)
    if isinstance(moment, datetime):
        return Timing(f"once, {moment.isoformat(timespec='seconds')}")
    # Rules of redbeat print themselves as iCalendar does.
    return Timing(" ".join(str(getattr(schedule, "rrule", schedule)).split()))


def cron_text(schedule: Any) -> str:
    """Return the five fields of a crontab in the order of cron."""
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    return " ".join(_field(getattr(schedule, f"_orig_{name}")) for name in names)


def _field(value: Any) -> str:
    if isinstance(value, str):
        return "".join(value.split()) or "*"
    if isinstance(value, Iterable):
        return ",".join(str(part) for part in sorted(value))
    return str(value)


def seconds_text(seconds: float) -> str:
    """Return seconds with a unit that divides them."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds) if seconds == int(seconds) else round(seconds, 6)} s"


def zone_name(zone: Any) -> str:
    """Return a time zone's name as the tz database has it."""
    return str(getattr(zone, "key", None) or zone)


def next_run(schedule: Any, since: datetime) -> int | None:
    """Return when a schedule runs next that ran (or began) at `since`, in µs; None for never.

    As Celery reckons it (`remaining_estimate`): a time that has passed is a run that is due.
    Rounded to the second unless it is an interval, so that it is the same whenever it is asked.
    """
    moment = getattr(schedule, "clocked_time", None)
    if isinstance(moment, datetime):
        return micros(moment)
    if isinstance(schedule, interval) and not schedule.relative:
        begun = micros(since)
        return None if begun is None else storable(begun + round(schedule.seconds * SECOND))
    if isinstance(schedule, crontab):
        # Some versions of Celery compare the fields with those of the time as it is given.
        since = schedule.maybe_make_aware(since).astimezone(schedule.tz)
    remaining = schedule.remaining_estimate(since)
    if remaining is None:
        return None
    at = micros(schedule.maybe_make_aware(schedule.now()) + remaining)
    return None if at is None else (at + SECOND // 2) // SECOND * SECOND
