"""A schedule as a scheduler knows it: what runs when, who owns it, when it last ran."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_core.stable_id import stable_id

MAX_SCHEDULES = 1_000
"""Of one scheduler and store; who has more tells the first by name, and how many there are."""
MAX_JSON = 16_384
"""Bytes of a schedule's arguments, or of its values."""
MAX_NAMES = 64
"""Actions that one schedule gives a reason against, and values that are hidden."""

ScheduleId = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
StoreId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
_Text = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*$")]
_Sentence = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
_Micros = Annotated[int, Meta(ge=0, le=1 << 53)]
_Json = Annotated[bytes, Meta(max_length=MAX_JSON)]
_Absent = Annotated[dict[_Text, _Sentence], Meta(max_length=MAX_NAMES)]
_DOMAIN = b"z4j schedules 1\0"


class Owner(StrEnum):
    """Where the truth about a schedule stands."""

    CODE = "code"
    """In the application's source or configuration: its next start brings it back as written."""
    STORE = "store"
    """In a database that outlives every process: a change made there stays."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule. What cannot be told is None. Times are microseconds since the epoch.

    `id` is stable within the scheduler's store. `timing` says for people when it runs, such as
    ``every 30 s`` or ``*/5 * * * *``; `every_s` is set when it runs at an interval, and `timezone`
    when it goes by a clock on a wall. `arguments` are a JSON object with `args` and `kwargs`, not
    yet redacted: the agent does that. `undone_by` says in a sentence what would undo a change made
    here, `absent` for which actions this very schedule gives a reason not to be acted on, and
    `values` what a form for `update` begins with. What holds a secret among these leaves the
    process neither whole nor masked, so an `update` leaves as it is what it is not told.
    """

    id: ScheduleId
    name: _Text
    timing: _Text
    owner: Owner
    task: _Text | None = None
    queue: _Text | None = None
    every_s: Annotated[float, Meta(gt=0)] | None = None
    timezone: _Text | None = None
    arguments: dict[str, Any] = {}
    enabled: bool = True
    last_run_at: _Micros | None = None
    next_run_at: _Micros | None = None
    runs: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    undone_by: _Sentence | None = None
    absent: _Absent = {}
    values: dict[str, Any] = {}


class WireSchedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `Schedule` as it travels (`z4j_core.schedule_to_wire`): redacted, and of bounded size.

    `arguments` and `values` are JSON objects; `hidden` names the values that were left out because
    they hold secrets or are too long. Decoding enforces the limits.
    """

    id: ScheduleId
    name: _Text
    timing: _Text
    owner: Owner
    task: _Text | None = None
    queue: _Text | None = None
    every_s: Annotated[float, Meta(gt=0)] | None = None
    timezone: _Text | None = None
    arguments: _Json = b"{}"
    enabled: bool = True
    last_run_at: _Micros | None = None
    next_run_at: _Micros | None = None
    runs: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    undone_by: _Sentence | None = None
    absent: _Absent = {}
    values: _Json = b"{}"
    hidden: Annotated[list[_Text], Meta(max_length=MAX_NAMES)] = []


def store_id(*parts: str | int | None) -> str:
    """Return a stable name for a store of schedules from what tells it apart (`stable_id`)."""
    return stable_id(_DOMAIN, parts)
