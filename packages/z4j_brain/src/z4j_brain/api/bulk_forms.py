"""What is asked of bulk runs, with its limits."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from z4j_core.events import EngineName

MAX_FILTER = 4_000
"""Characters; the language itself takes fewer, and says so with the place."""
Action = Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
Rate = Annotated[float, Meta(ge=0.1, le=500)]
Percent = Annotated[float, Meta(ge=0, le=100)]
FilterText = Annotated[str, Meta(max_length=MAX_FILTER)]


class BulkQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run would act on; `filter` is the filter language (docs/filters.md)."""

    action: Action
    engine: EngineName
    filter: FilterText = ""
    rate: Rate = 20.0


class Canary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first tasks of a run: `percent` of all, at least 10; 0 is none. When no more than
    `max_failed_percent` of them failed, the run goes on, or waits for somebody. It waits for the
    ends of tasks that the action makes, for `patience_s` at most.
    """

    percent: Percent = 1.0
    max_failed_percent: Percent = 20.0
    then: Literal["go_on", "wait"] = "go_on"
    patience_s: Annotated[int, Meta(ge=0, le=86_400)] = 600


class NewBulkRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action on all tasks that meet the filter now. `params` must fit the action's schema.
    `skip_retried` leaves out, for a retry, what was retried already. `rate` is in tasks a second.
    """

    action: Action
    engine: EngineName
    filter: FilterText = ""
    params: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    rate: Rate = 20.0
    skip_retried: bool = True
    canary: Canary = Canary()


class BulkStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do with a run."""

    step: Literal["pause", "resume", "approve", "abort"]
