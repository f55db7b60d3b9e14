"""What people may say of a schedule: the parameters of `create` and `update`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from celery.schedules import crontab
from msgspec import Meta

from z4j_agent.facts import printed
from z4j_core.capability import ActionError

DECADE_S = 10 * 366 * 86_400

Name = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$", description="Unique name")
]
Task = Annotated[
    str,
    Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$", description="Full name of the task"),
]
Every = Annotated[float, Meta(ge=0.001, le=DECADE_S, description="Seconds between two runs")]
Cron = Annotated[
    str,
    Meta(
        min_length=9,
        max_length=600,
        pattern=r"^[^\x00]+$",
        description="Minute, hour, day of the month, month, day of the week: */5 * * * *",
    ),
]
Zone = Annotated[
    str, Meta(max_length=63, pattern=r"^[^\x00]*$", description="Of the crontab: Europe/Berlin")
]
Queue = Annotated[
    str, Meta(max_length=200, pattern=r"^[^\x00]*$", description="Empty for the task's own")
]
Args = Annotated[list[Any], Meta(max_length=1_000, description="Positional arguments")]
Kwargs = Annotated[dict[str, Any], Meta(max_length=1_000, description="Keyword arguments")]
SolarEvent = Literal[
    "dawn_astronomical", "dawn_civil", "dawn_nautical", "dusk_astronomical", "dusk_civil",
    "dusk_nautical", "solar_noon", "sunrise", "sunset",
]  # fmt: skip
Degrees = Annotated[float, Meta(ge=-180, le=180)]
Moment = Annotated[datetime, Meta(tz=True, description="Runs once, then: 2030-01-31T09:00:00Z")]


class RedBeatUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    task: Task | None = None
    every_s: Every | None = None
    crontab: Cron | None = None
    args: Args | None = None
    kwargs: Kwargs | None = None
    queue: Queue | None = None


class RedBeatCreate(RedBeatUpdate, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new entry: with `every_s` or `crontab`."""

    name: Name
    task: Task
    enabled: bool = True


class DjangoUpdate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is; of every_s, crontab, solar_event and at, at most one."""

    task: Task | None = None
    every_s: Every | None = None
    crontab: Cron | None = None
    timezone: Zone | None = None
    solar_event: SolarEvent | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Degrees | None = None
    at: Moment | None = None
    one_off: Annotated[bool, Meta(description="Run once, then pause")] | None = None
    args: Args | None = None
    kwargs: Kwargs | None = None
    queue: Queue | None = None


class DjangoCreate(DjangoUpdate, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new periodic task, with exactly one of every_s, crontab, solar_event and at."""

    name: Name
    task: Task
    enabled: bool = True


def the_one_of(params: msgspec.Struct, *names: str) -> str | None:
    """Return which of these parameters is given, if one is. Raise `ActionError` for several."""
    given = [name for name in names if getattr(params, name) is not None]
    if len(given) > 1:
        raise ActionError(f"Give only one of {' and '.join(given)}.")
    return given[0] if given else None


def crontab_of(text: str) -> Any:
    """Return the crontab of five fields. Raise `ActionError` for one that is none."""
    fields = text.split()
    if len(fields) != 5:
        raise ActionError(
            "A crontab has five fields: minute, hour, day of the month, month, day of the week; "
            f"these are {len(fields)}."
        )
    minute, hour, day, month, weekday = fields
    try:
        return crontab(minute, hour, weekday, day, month)
    except Exception as error:  # noqa: BLE001 - the parser's own, ValueError and more
        raise ActionError(f"This crontab cannot be read: {printed(error)[:300]}") from None
