"""What a person asks of a bulk run, and what may be done to one (docs/bulk.md)."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from z4j_brain.audit.author import Author
from z4j_brain.store.bulk_estimate import Looked
from z4j_brain.store.bulk_runs import BulkRun

MAX_OPEN = 10
"""Runs of one project that have not ended."""


class CanaryThen(StrEnum):
    """What follows a canary that went well."""

    GO_ON = "go_on"
    WAIT = "wait"


class BulkOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a run goes. `rate` is in tasks a second; without `canary_percent` there is no canary."""

    rate: float
    canary_percent: float
    canary_max_failed_percent: float
    canary_then: str
    canary_patience_s: int
    skip_retried: bool


class BulkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action on all tasks that a filter meets now. `params` is the JSON object as it came."""

    project_id: uuid.UUID
    user_id: uuid.UUID
    key_id: uuid.UUID | None
    author: Author
    engine: str
    action: str
    params: bytes
    filter: str
    options: BulkOptions
    idempotency_key: str | None = None

    def is_asked_by(self, run: BulkRun) -> bool:
        """Whether a run is what this request asks for."""
        names = (*BulkOptions.__struct_fields__,)
        return (
            (run.engine, run.action, run.params.encode(), run.filter)
            == (self.engine, self.action, self.params, self.filter)
        ) and all(getattr(run, name) == getattr(self.options, name) for name in names)


class Count(msgspec.Struct, frozen=True):
    """A number of tasks; when `is_capped`, there are more."""

    value: int
    is_capped: bool


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would act on now. `by_state` counts the states of the newest that match, `looked`
    tells of the newest that are eligible: in a state that the action is for.
    """

    matching: Count
    by_state: dict[str, int]
    eligible: Count
    looked: Looked


class Step(StrEnum):
    """What a person may do to a run."""

    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    ABORT = "abort"


_FROM = {
    Step.PAUSE: ("canary", "running"),
    Step.RESUME: ("paused",),
    Step.APPROVE: ("waiting",),
    Step.ABORT: ("preparing", "canary", "waiting", "running", "paused"),
}
"""The states in which a step can be taken."""


def taken(step: Step, run: BulkRun) -> dict[str, object] | None:
    """Return what a step changes of a run, None when it cannot be taken in the run's state."""
    if run.state not in _FROM[step]:
        return None
    match step:
        case Step.PAUSE:
            return {"state": "paused", "note": None}
        case Step.RESUME:
            return {"state": "running" if run.canary_passed else "canary", "note": None}
        case Step.APPROVE:
            return {"state": "running", "note": None, "canary_passed": True}
        case Step.ABORT:
            return {"state": "aborting", "note": None}
