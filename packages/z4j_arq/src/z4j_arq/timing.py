"""When a cron job runs, from the fields that arq keeps."""

from __future__ import annotations

from typing import Any

from arq.typing import WEEKDAYS

from z4j_agent.written import cron_field


def timing_of(job: Any) -> str:
    """Return a line of cron with the same meaning, and the seconds if they are not 0.

    All fields must fit, unlike in cron; arq counts the days of the week from Monday, 0, and the
    line from Sunday.
    """
    weekday = WEEKDAYS.index(job.weekday.lower()) if isinstance(job.weekday, str) else job.weekday
    days = None if weekday is None else {(day + 1) % 7 for day in _values(weekday)}
    fields = (
        (job.minute, range(60)),
        (job.hour, range(24)),
        (job.day, range(1, 32)),
        (job.month, range(1, 13)),
        (days, range(7)),
    )
    line = " ".join(_field(value, every) for value, every in fields)
    second = _field(job.second, range(60))
    return line if second == "0" else f"{line}, seconds {second}"


def _field(value: Any, every: range) -> str:
    return "*" if value is None else cron_field(_values(value), every)


def _values(value: Any) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(sorted(set(value)))
