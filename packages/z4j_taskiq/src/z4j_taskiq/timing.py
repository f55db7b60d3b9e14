"""When a schedule runs, by TaskIQ's own reading of lines of cron (`pycron`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pycron import is_now

from z4j_core.capability import ActionError

_HORIZON_DAYS = 4 * 366
"""As far as the next run is looked for: to the 29th of February."""
_MINUTE = timedelta(minutes=1)
# TaskIQ's scheduler dies of a step of 0, and never runs what pycron does not understand.
_PART = r"(\*|\w{1,9}(-\w{1,9})?)(/0*[1-9]\d?)?"
_FIELD = re.compile(rf"{_PART}(,{_PART})*", re.ASCII)


def next_after(cron: str, offset: str | timedelta | None, moment: datetime) -> datetime | None:
    """Return the first minute (UTC) after that of `moment` that is due; None if there is none."""
    first = moment.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    try:
        minute, hour, *of_day = cron.split(" ")
        days, minutes = " ".join(["* *", *of_day]), f"{minute} {hour} * * *"
        begin = _shifted(first, offset).date()
        for number in range(_HORIZON_DAYS):
            day = begin + timedelta(days=number)
            if is_now(days, datetime.combine(day, time(12))):
                for due in _minutes_of(day, offset, first):
                    if is_now(minutes, _shifted(due, offset)):
                        return due
    except (ValueError, KeyError, OSError, ArithmeticError):
        return None  # no line of cron, or no time zone
    return None


def interval_of(task: Any) -> int | None:
    """Return the seconds between two runs, if it runs at an interval."""
    interval = task.interval
    return int(interval.total_seconds()) if isinstance(interval, timedelta) else interval


def timing_of(task: Any) -> str:
    """Say in words when it runs."""
    if task.cron is None:
        return f"every {interval_of(task)} s"
    return f"{task.cron}" + (
        f", {task.cron_offset} ahead" if isinstance(task.cron_offset, timedelta) else ""
    )


def timezone_of(task: Any) -> str | None:
    """Return the time zone that a line of cron goes by."""
    if task.cron is None or isinstance(task.cron_offset, timedelta):
        return None
    return str(task.cron_offset or "UTC")[:255]


def checked(every_s: int | None, cron: str | None, timezone: str | None) -> dict[str, Any]:
    """Return the fields of TaskIQ's schedule that say when it runs; nothing if none is given."""
    if every_s is not None and cron is not None:
        raise ActionError("Give every_s or cron, not both.")
    if cron is None and timezone is not None:
        raise ActionError("A time zone goes with cron; give the line of cron too.")
    if every_s is not None:
        return {"interval": every_s, "cron": None, "cron_offset": None}
    if cron is None:
        return {}
    line = " ".join(cron.split())
    is_read = all(map(_FIELD.fullmatch, line.split()))
    if not is_read or next_after(line, timezone, datetime.now(UTC)) is None:
        raise ActionError(
            "This is no line of cron that comes true, or no time zone. "
            "Write five fields, such as */5 * * * *, and a zone such as Europe/Berlin."
        )
    return {"interval": None, "cron": line, "cron_offset": timezone}


def _shifted(moment: datetime, offset: str | timedelta | None) -> datetime:
    """Return a moment as TaskIQ compares it with a line of cron."""
    if isinstance(offset, timedelta):
        return moment + offset
    return moment.astimezone(ZoneInfo(offset)) if offset else moment


def _minutes_of(day: date, offset: str | timedelta | None, first: datetime) -> Iterator[datetime]:
    """Yield the minutes (UTC) from `first` on that are of a day as it is where the schedule is."""
    begin = datetime.combine(day, time(), UTC)
    begin -= offset if isinstance(offset, timedelta) else timedelta(hours=26)
    at, end = max(begin, first), begin + timedelta(days=3)
    while at < end:
        if _shifted(at, offset).date() == day:
            yield at
        at += _MINUTE
