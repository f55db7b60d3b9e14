"""Issues as the API shows them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.issues.reading import IssueInFull, ListedIssue
from z4j_brain.store.issues import IssueRecord

IssueState = Literal["open", "resolved", "muted"]


class Decision(msgspec.Struct, frozen=True):
    """What somebody decided about an issue. `muted_count`: muted below this count of failures."""

    decision: IssueState
    at: Timestamp
    by: str
    muted_until: Timestamp | None
    muted_count: int | None


class IssueSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An issue in a list.

    `count` are failures, `retried` failed attempts that were tried again. `last_…` and `message`
    are of the newest of both. `spark` counts the failures of the last 24 hours. `decision` is the
    last one; the state follows from it and from what failed since.
    """

    id: str
    state: IssueState
    regressed: bool
    regressed_at: Timestamp | None
    exception_type: str
    title: str
    message: str
    count: int
    retried: int
    first_seen: Timestamp
    last_seen: Timestamp
    last_engine: str
    last_task_id: str
    last_name: str
    last_queue: str
    decision: Decision | None
    spark: list[int]


class IssueHour(msgspec.Struct, frozen=True, omit_defaults=True):
    """The counts of one hour; `partial` while it lasts."""

    at: Timestamp
    failed: int
    retried: int
    partial: bool = False


class IssuePlace(msgspec.Struct, frozen=True):
    """A kind of task that the issue was seen in."""

    engine: str
    name: str
    queue: str


class IssueDetail(IssueSummary, frozen=True, kw_only=True):
    """An issue in full. `stack` is what its failures have in common, a line for each frame."""

    stack: str
    series: list[IssueHour]
    places: list[IssuePlace]
    decisions: list[Decision]
    offset: int


def issue_summary(listed: ListedIssue) -> IssueSummary:
    """Return the view of an issue in a list."""
    return IssueSummary(**_summary(listed))


def issue_detail(found: IssueInFull) -> IssueDetail:
    """Return the view of an issue in full."""
    last = len(found.series) - 1
    return IssueDetail(
        **_summary(found.listed),
        stack=found.listed.issue.stack,
        series=[
            IssueHour(rfc3339(hour.at), hour.failed, hour.retried, at == last)
            for at, hour in enumerate(found.series)
        ],
        places=[IssuePlace(*place) for place in found.places],
        decisions=[
            Decision(
                one.decision,
                rfc3339(one.at),
                one.email,
                rfc3339(one.muted_until),
                one.muted_count,
            )
            for one in found.decisions
        ],
        offset=found.offset,
    )


def _summary(listed: ListedIssue) -> dict[str, Any]:
    issue = listed.issue
    return {
        "id": issue.id,
        "state": issue.state,
        "regressed": issue.regressed,
        "regressed_at": rfc3339(issue.regressed_at),
        "exception_type": issue.exception_type,
        "title": issue.title,
        "message": issue.last_message,
        "count": issue.count,
        "retried": issue.retried,
        "first_seen": rfc3339(issue.first_seen),
        "last_seen": rfc3339(issue.last_seen),
        "last_engine": issue.last_engine,
        "last_task_id": issue.last_task_id,
        "last_name": issue.last_name,
        "last_queue": issue.last_queue,
        "decision": _decision(issue),
        "spark": listed.spark,
    }


def _decision(issue: IssueRecord) -> Decision | None:
    if issue.decided_at is None:
        return None
    return Decision(
        issue.decision,
        rfc3339(issue.decided_at),
        issue.decider or "",
        rfc3339(issue.muted_until),
        issue.muted_count,
    )
