"""Issues as people look at them: a list, one in full, and what needs attention."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import feeds, issue_decisions, issues
from z4j_brain.store.issue_decisions import DecisionRecord
from z4j_brain.store.issue_rows import HOUR_US
from z4j_brain.store.issues import Choice, IssueRecord, Position, Sort

SPARKS = 24
"""Hours of the line in a list."""
HOURS = 7 * 24
"""Hours of the series of one issue."""


class ListedIssue(msgspec.Struct, frozen=True):
    """An issue with its failures of the last hours, the running hour last."""

    issue: IssueRecord
    spark: list[int]


class IssuePage(msgspec.Struct, frozen=True):
    """One page; `counts` are those of all states for the same choice."""

    items: list[ListedIssue]
    next: Position | None
    counts: dict[str, int]
    offset: int


class Hour(msgspec.Struct, frozen=True):
    """The counts of one hour, which begins at `at`."""

    at: int
    failed: int
    retried: int


class IssueInFull(msgspec.Struct, frozen=True):
    """An issue with its series, the tasks that it was seen in, and what was decided."""

    listed: ListedIssue
    series: list[Hour]
    places: list[tuple[str, str, str]]
    decisions: list[DecisionRecord]
    offset: int


def list_issues(
    connection: Connection,
    project_id: uuid.UUID,
    choice: Choice,
    *,
    now: int,
    sort: Sort = "last_seen",
    after: Position | None = None,
    limit: int = 50,
) -> IssuePage:
    """Return a page, from one snapshot."""
    offset = feeds.position(connection, project_id)
    found = issues.page(
        connection, project_id, choice, now=now, sort=sort, after=after, limit=limit + 1
    )
    items = found[:limit]
    following: Position | None = None
    if len(found) > limit:
        value: int = getattr(items[-1], sort)
        following = value, items[-1].id
    counts = issues.counts(connection, project_id, choice, now)
    return IssuePage(_with_sparks(connection, project_id, items, now), following, counts, offset)


def read_issue(
    connection: Connection, project_id: uuid.UUID, issue: str, now: int
) -> IssueInFull | None:
    """Return one issue, or None."""
    offset = feeds.position(connection, project_id)
    found = issues.find(connection, project_id, issue, now)
    if found is None:
        return None
    first = _first_hour(now, HOURS)
    counted = {one.hour: one for one in issues.hour_counts(connection, project_id, [issue], first)}
    series = []
    for at in range(first, first + HOURS * HOUR_US, HOUR_US):
        one = counted.get(at)
        series.append(Hour(at, one.failed, one.retried) if one else Hour(at, 0, 0))
    return IssueInFull(
        listed=ListedIssue(found, [hour.failed for hour in series[-SPARKS:]]),
        series=series,
        places=issues.places(connection, project_id, issue),
        decisions=issue_decisions.decisions(connection, project_id, issue),
        offset=offset,
    )


def urgent_issues(
    connection: Connection, project_id: uuid.UUID, *, now: int, since: int, limit: int
) -> list[ListedIssue]:
    """Return the open issues that failed since then: regressed, then new, then the most frequent.

    "Frequent" counts the hours of the line; at most `limit` of the newest are looked at.
    """
    choice = Choice(state="open", seen_since=since)
    found = issues.page(connection, project_id, choice, now=now, limit=limit)
    listed = _with_sparks(connection, project_id, found, now)
    return sorted(
        listed,
        key=lambda one: (not one.issue.regressed, one.issue.first_seen < since, -sum(one.spark)),
    )


def _first_hour(now: int, hours: int) -> int:
    return now - now % HOUR_US - (hours - 1) * HOUR_US


def _with_sparks(
    connection: Connection, project_id: uuid.UUID, found: Sequence[IssueRecord], now: int
) -> list[ListedIssue]:
    first = _first_hour(now, SPARKS)
    sparks = {issue.id: [0] * SPARKS for issue in found}
    for one in issues.hour_counts(connection, project_id, sparks.keys(), first):
        at = (one.hour - first) // HOUR_US
        if 0 <= at < SPARKS:
            sparks[one.issue][at] = one.failed
    return [ListedIssue(issue, sparks[issue.id]) for issue in found]
