"""Reads of issues.

The state of an issue is a function of its row and of the time: what a person decided last, and
what failed since. Nothing has to be changed when a mute runs out or a failure comes back, and
events may come in any order.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from z4j_brain.store.issue_rows import HOUR_US
from z4j_brain.store.schema import issue_counts, issues, tasks, users
from z4j_brain.store.types import UtcTime

State = Literal["open", "resolved", "muted"]
Sort = Literal["last_seen", "first_seen", "count"]
MAX_PLACES = 50
_NEWEST_TASKS = 1_000


class IssueRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An issue. Times in microseconds since the epoch.

    `regressed`: it failed after it was resolved, about `regressed_at`.
    """

    id: str
    exception_type: str
    title: str
    stack: str
    created_at: int
    first_seen: int
    last_seen: int
    last_failed_at: int | None
    count: int
    retried: int
    last_engine: str
    last_task_id: str
    last_name: str
    last_queue: str
    last_message: str
    decision: State
    decided_at: int | None
    decided_by: uuid.UUID | None
    decider: str | None
    muted_until: int | None
    muted_count: int | None
    regressed_at: int | None
    state: State
    regressed: bool


class HourCount(msgspec.Struct, frozen=True, gc=False):
    """What happened to an issue in one hour."""

    issue: str
    hour: int
    failed: int
    retried: int


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Which issues of a list. `text` is looked for in type, title, message and task name."""

    state: State | None = None
    text: str = ""
    name: str | None = None
    queue: str | None = None
    seen_since: int | None = None


Position = tuple[int, str]
"""Where a page begins: the sorted value and the id of the issue before it."""

_HAS_FAILED = issues.c["count"] > 0


def _has_come_back() -> ColumnElement[bool]:
    return func.coalesce(
        and_(issues.c.decision == "resolved", issues.c.last_failed_at > issues.c.decided_at), False
    )


def state_at(now: int) -> ColumnElement[str]:
    """Return the state at `now` as SQL."""
    is_resolved = and_(issues.c.decision == "resolved", ~_has_come_back())
    is_muted = and_(
        issues.c.decision == "muted",
        or_(issues.c.muted_until.is_(None), issues.c.muted_until > literal(now, UtcTime())),
        or_(issues.c.muted_count.is_(None), issues.c["count"] < issues.c.muted_count),
    )
    return case((is_resolved, "resolved"), (is_muted, "muted"), else_="open")


def _select(now: int) -> Any:
    columns = [issues.c[name] for name in IssueRecord.__struct_fields__ if name in issues.c]
    return select(
        *columns,
        users.c.email.label("decider"),
        state_at(now).label("state"),
        _has_come_back().label("regressed"),
    ).outerjoin(users, users.c.id == issues.c.decided_by)


def page(
    connection: Connection,
    project_id: uuid.UUID,
    choice: Choice,
    *,
    now: int,
    sort: Sort = "last_seen",
    after: Position | None = None,
    limit: int,
) -> list[IssueRecord]:
    """Return at most `limit` issues that failed, the greatest by `sort` first."""
    order = tuple_(issues.c[sort], issues.c.id)
    query = _select(now).where(*_conditions(project_id, choice, now))
    if after is not None:
        kind = issues.c[sort].type
        query = query.where(order < tuple_(literal(after[0], kind), literal(after[1])))
    query = query.order_by(issues.c[sort].desc(), issues.c.id.desc()).limit(limit)
    return [_record(row) for row in connection.execute(query)]


def counts(
    connection: Connection, project_id: uuid.UUID, choice: Choice, now: int
) -> dict[str, int]:
    """Return how many issues there are of each state, whatever state `choice` names."""
    without_state = msgspec.structs.replace(choice, state=None)
    state = state_at(now).label("state")
    rows = connection.execute(
        select(state, func.count())
        .where(*_conditions(project_id, without_state, now))
        .group_by(state)
    )
    return {row[0]: row[1] for row in rows}


def find(connection: Connection, project_id: uuid.UUID, issue: str, now: int) -> IssueRecord | None:
    """Return one issue of a project, also one of which no attempt failed for good yet."""
    row = connection.execute(
        _select(now).where(issues.c.project_id == project_id, issues.c.id == issue)
    ).first()
    return None if row is None else _record(row)


def hour_counts(
    connection: Connection, project_id: uuid.UUID, ids: Collection[str], since: int
) -> list[HourCount]:
    """Return the counts of these issues for each hour from `since` on that has any."""
    if not ids:
        return []
    columns = [issue_counts.c[name] for name in HourCount.__struct_fields__]
    rows = connection.execute(
        select(*columns).where(
            issue_counts.c.project_id == project_id,
            issue_counts.c.issue.in_(ids),
            issue_counts.c.hour >= since - since % HOUR_US,
        )
    )
    return [HourCount(*row) for row in rows]


def places(connection: Connection, project_id: uuid.UUID, issue: str) -> list[tuple[str, str, str]]:
    """Return engine, task name and queue of the issue's newest tasks, each once."""
    newest = (
        select(
            tasks.c.engine,
            func.coalesce(tasks.c.name, "").label("name"),
            func.coalesce(tasks.c.queue, "").label("queue"),
        )
        .where(tasks.c.project_id == project_id, tasks.c.issue == issue)
        .order_by(tasks.c.first_at.desc())
        .limit(_NEWEST_TASKS)
        .subquery()
    )
    rows = connection.execute(select(newest).distinct().limit(MAX_PLACES))
    return sorted((row.engine, row.name, row.queue) for row in rows)


def _conditions(project_id: uuid.UUID, choice: Choice, now: int) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [issues.c.project_id == project_id, _HAS_FAILED]
    if choice.state is not None:
        found.append(state_at(now) == choice.state)
    if choice.text:
        found.append(_contains(choice.text))
    if choice.name is not None:
        found.append(issues.c.last_name == choice.name)
    if choice.queue is not None:
        found.append(issues.c.last_queue == choice.queue)
    if choice.seen_since is not None:
        found.append(issues.c.last_failed_at >= choice.seen_since)
    return found


def _contains(text: str) -> ColumnElement[bool]:
    # As lower() does in SQLite and in the "C" collation: ASCII letters only.
    lowered = "".join(c.lower() if c.isascii() else c for c in text)
    columns = (issues.c.exception_type, issues.c.title, issues.c.last_message, issues.c.last_name)
    return or_(*(func.lower(column).contains(lowered, autoescape=True) for column in columns))


def _record(row: Any) -> IssueRecord:
    return IssueRecord(**dict(row._mapping) | {"regressed": bool(row.regressed)})
