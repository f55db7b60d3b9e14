"""Bulk runs as the API shows them."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from z4j_brain.api.command_views import Asker
from z4j_brain.api.json_text import as_json
from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.commands.bulk_request import Estimate
from z4j_brain.store.bulk_members import Member
from z4j_brain.store.bulk_runs import BulkRun, State

MemberState = Literal["waiting", "sent", "succeeded", "failed", "expired", "skipped", "refused"]


class NameCountView(msgspec.Struct, frozen=True):
    """How many tasks have a name; null is that of tasks whose name is not known."""

    name: str | None
    count: int


class BulkEstimateView(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would act on now. Capped counts are "more than". `looked_at` of the eligible
    tasks, the newest, were looked at closely: `retried` already, `later_succeeded` by a retry,
    `alike` in name and arguments with another; `by_state` is of the newest that match, in any
    state. `duration_s` is that of all eligible ones at the rate.
    """

    matching: int
    matching_capped: bool
    by_state: dict[str, int]
    eligible: int
    eligible_capped: bool
    looked_at: int
    by_name: list[NameCountView]
    names: int
    retried: int
    later_succeeded: int
    alike: int
    duration_s: float


class CanaryView(msgspec.Struct, frozen=True, kw_only=True):
    """The canary of a run: its size is known once its tasks are gathered."""

    percent: float
    max_failed_percent: float
    then: Literal["go_on", "wait"]
    patience_s: int
    size: int
    passed: bool


class BulkCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks of a run are where; together they are `total`."""

    waiting: int
    sent: int
    succeeded: int
    failed: int
    expired: int
    skipped: int
    refused: int


class BulkRunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `note` says why it stands still, if it does. `matching` were eligible when it was
    made; `total` were gathered, and count once it no longer prepares. `rate` is in tasks a second.
    """

    id: uuid.UUID
    engine: str
    action: str
    params: Any
    filter: str
    state: State
    note: str | None
    rate: float
    skip_retried: bool
    canary: CanaryView
    matching: int
    total: int
    counts: BulkCounts
    created_at: Timestamp
    created_by: Asker
    started_at: Timestamp | None
    ended_at: Timestamp | None


class BulkMemberView(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a run. `made_task_id` is the task that the engine's answer names, and
    `made_state` what became of it.
    """

    number: int
    task_id: str
    state: MemberState
    command_id: uuid.UUID | None
    made_task_id: str | None
    made_state: str | None
    reason: str | None
    ended_at: Timestamp | None


def estimate_view(estimate: Estimate, rate: float) -> BulkEstimateView:
    """Return the view of an estimate."""
    looked = estimate.looked
    return BulkEstimateView(
        matching=estimate.matching.value,
        matching_capped=estimate.matching.is_capped,
        by_state=estimate.by_state,
        eligible=estimate.eligible.value,
        eligible_capped=estimate.eligible.is_capped,
        looked_at=looked.count,
        by_name=[NameCountView(one.name, one.count) for one in looked.by_name],
        names=looked.names,
        retried=looked.retried,
        later_succeeded=looked.later_succeeded,
        alike=looked.alike,
        duration_s=round(estimate.eligible.value / rate, 1),
    )


def run_view(run: BulkRun) -> BulkRunView:
    """Return the view of a run."""
    return BulkRunView(
        id=run.id,
        engine=run.engine,
        action=run.action,
        params=as_json(run.params),
        filter=run.filter,
        state=msgspec.convert(run.state, State),
        note=run.note,
        rate=run.rate,
        skip_retried=run.skip_retried,
        canary=CanaryView(
            percent=run.canary_percent,
            max_failed_percent=run.canary_max_failed_percent,
            then=msgspec.convert(run.canary_then, Literal["go_on", "wait"]),
            patience_s=run.canary_patience_s,
            size=run.canary_size,
            passed=run.canary_passed,
        ),
        matching=run.matching,
        total=run.total,
        counts=BulkCounts(
            waiting=run.total - run.taken,
            sent=run.outstanding,
            succeeded=run.succeeded,
            failed=run.failed,
            expired=run.expired,
            skipped=run.skipped,
            refused=run.refused,
        ),
        created_at=rfc3339(run.created_at),
        created_by=Asker(run.created_by, run.email or ""),
        started_at=rfc3339(run.started_at),
        ended_at=rfc3339(run.ended_at),
    )


def member_view(member: Member) -> BulkMemberView:
    """Return the view of a member."""
    return BulkMemberView(
        number=member.number,
        task_id=member.task_id,
        state=msgspec.convert(member.state, MemberState),
        command_id=member.command_id,
        made_task_id=member.made_task_id,
        made_state=member.made_state,
        reason=member.reason,
        ended_at=rfc3339(member.ended_at),
    )
