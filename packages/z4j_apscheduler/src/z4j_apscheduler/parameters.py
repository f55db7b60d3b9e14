"""What a form for a job asks."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Cron = Annotated[str, Meta(max_length=255, description="Five fields; Monday is day 0")]
_Every = Annotated[float, Meta(ge=1, le=366 * 86_400, description="Seconds between two runs")]
_Zone = Annotated[str, Meta(max_length=64, description="Such as Europe/Berlin; for cron")]


class JobParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the job runs, and with what; what is left out stays."""

    every_s: _Every | None = None
    cron: _Cron | None = None
    timezone: _Zone | None = None
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None


class NewJobParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new job of a function that some job of this process calls already."""

    task: Annotated[str, Meta(min_length=1, max_length=255, description="As another job names it")]
    id: Annotated[str, Meta(min_length=1, max_length=191, pattern=r"^[^\x00]*$")]
    every_s: _Every | None = None
    cron: _Cron | None = None
    timezone: _Zone | None = None
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
