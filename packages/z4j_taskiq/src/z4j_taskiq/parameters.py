"""What a form for a schedule asks."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Cron = Annotated[str, Meta(max_length=255, description="Five fields; Sunday is day 0")]
_Every = Annotated[int, Meta(ge=1, le=366 * 86_400, description="Seconds between two runs")]
_Zone = Annotated[str, Meta(max_length=64, description="Such as Europe/Berlin; for cron")]


class UpdateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the schedule runs, and with what; what is left out stays."""

    every_s: _Every | None = None
    cron: _Cron | None = None
    timezone: _Zone | None = None
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None


class CreateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new schedule of a task that the scheduler's process knows."""

    task: Annotated[str, Meta(min_length=1, max_length=255, description="As TaskIQ names it")]
    every_s: _Every | None = None
    cron: _Cron | None = None
    timezone: _Zone | None = None
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
