"""What people decide about issues, and who did so when."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import BigInteger, Connection, cast, insert, select, update

from z4j_brain.store.issues import State
from z4j_brain.store.schema import issue_decisions, issues, users
from z4j_brain.store.types import new_id

MAX_DECISIONS = 50


class DecisionRecord(msgspec.Struct, frozen=True, gc=False):
    """What somebody decided."""

    at: int
    email: str
    decision: State
    muted_until: int | None
    muted_count: int | None


def decisions(connection: Connection, project_id: uuid.UUID, issue: str) -> list[DecisionRecord]:
    """Return what was decided about an issue, the newest first."""
    columns = issue_decisions.c
    rows = connection.execute(
        select(
            columns.at, users.c.email, columns.decision, columns.muted_until, columns.muted_count
        )
        .join(users, users.c.id == columns.user_id)
        .where(columns.project_id == project_id, columns.issue == issue)
        .order_by(columns.at.desc(), columns.id.desc())
        .limit(MAX_DECISIONS)
    )
    return [DecisionRecord(*row) for row in rows]


def present(connection: Connection, project_id: uuid.UUID, issue: str) -> tuple[str, str] | None:
    """Return an issue's title and present decision; nobody else decides meanwhile."""
    row = connection.execute(
        select(issues.c.title, issues.c.decision)
        .where(issues.c.project_id == project_id, issues.c.id == issue)
        .with_for_update()
    ).first()
    return None if row is None else (row.title, row.decision)


def decide(
    connection: Connection,
    project_id: uuid.UUID,
    issue: str,
    *,
    user_id: uuid.UUID,
    decision: State,
    now: int,
    muted_until: int | None = None,
    more: int | None = None,
) -> bool:
    """Record a decision and who made it; False when there is no such issue.

    `more`: mute until this many failures more were counted.
    """
    limit = None if more is None else issues.c["count"] + cast(more, BigInteger)
    changed = connection.execute(
        update(issues)
        .where(issues.c.project_id == project_id, issues.c.id == issue)
        .values(
            decision=decision,
            decided_at=now,
            decided_by=user_id,
            muted_until=muted_until,
            muted_count=limit,
            regressed_at=None,
        )
        .returning(issues.c.muted_count)
    ).first()
    if changed is None:
        return False
    connection.execute(
        insert(issue_decisions).values(
            id=new_id(),
            project_id=project_id,
            issue=issue,
            at=now,
            user_id=user_id,
            decision=decision,
            muted_until=muted_until,
            muted_count=changed.muted_count,
        )
    )
    return True
