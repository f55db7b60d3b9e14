"""When a periodic task is due. Huey keeps a function that decides, not the line of cron."""

from __future__ import annotations

import inspect
from datetime import date, datetime, time, timedelta
from typing import Any

import msgspec
from huey import crontab

from z4j_agent.written import cron_field

_HORIZON_DAYS = 4 * 366
"""As far as the next run is looked for: to the 29th of February."""
_MADE_BY_HUEY = crontab().__code__


class Crontab(msgspec.Struct, frozen=True):
    """The values at which a task is due; all five must fit, days of the week too (Sunday is 0)."""

    months: tuple[int, ...]
    days: tuple[int, ...]
    weekdays: tuple[int, ...]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]

    def line(self) -> str:
        """Return a line of cron with the same meaning as what was written."""
        fields = (
            cron_field(self.minutes, range(60)),
            cron_field(self.hours, range(24)),
            cron_field(self.days, range(1, 32)),
            cron_field(self.months, range(1, 13)),
            cron_field(self.weekdays, range(7)),
        )
        return " ".join(fields)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first minute after that of `moment`, which has no zone, that is due."""
        first = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for number in range(_HORIZON_DAYS):
            day = first.date() + timedelta(days=number)
            if self._is_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        due = datetime.combine(day, time(hour, minute))
                        if due >= first:
                            return due
        return None

    def _is_day(self, day: date) -> bool:
        is_in_year = day.month in self.months and day.day in self.days
        return is_in_year and day.isoweekday() % 7 in self.weekdays


def decider_of(task_class: Any) -> Any:
    """Return the function that the application gave to `periodic_task`."""
    method = task_class.validate_datetime
    return _closure(method).get("validate_datetime", method)


def crontab_of(task_class: Any) -> Crontab | None:
    """Return the times of a periodic task; None if a function of the application decides."""
    decider = decider_of(task_class)
    if getattr(decider, "__code__", None) is not _MADE_BY_HUEY:
        return None
    months, days, weekdays, hours, minutes = map(tuple, _closure(decider)["cron_settings"])
    weekdays = tuple(sorted({value % 7 for value in weekdays}))  # Sunday may be 7 there too
    return Crontab(months, days, weekdays, hours, minutes)


def _closure(function: Any) -> dict[str, Any]:
    return dict(inspect.getclosurevars(function).nonlocals) if inspect.isfunction(function) else {}
