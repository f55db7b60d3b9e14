"""The issues' part of the ingest transaction: limits of new ones, then additive upserts.

Both databases take the same statements. Rows are written in the order of their keys, so that two
writers never wait for each other in a circle.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, case, func, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.ingest_batch import Batch
from z4j_brain.store.issue_rows import (
    HOUR_US,
    NEWEST,
    OVERFLOW,
    IssueKey,
    as_overflow,
)
from z4j_brain.store.schema import issue_counts, issues

MAX_ISSUES = 5_000
"""Of a project, those that nothing has cleared away yet."""
MAX_NEW_AN_HOUR = 200
"""Of a project; both limits may be passed by what several servers store at the same moment."""
_MOST_KNOWN = 50_000


def admit(connection: Connection, batch: Batch, known: set[IssueKey]) -> None:
    """Move failures to their project's overflow where no further issue may be made.

    `known` holds issues that were once found stored, and spares asking for them again.
    """
    unsure = [key for key in batch.issues if key not in known and key[1] != OVERFLOW]
    if not unsure:
        return
    if len(known) > _MOST_KNOWN:
        known.clear()
    by_project: dict[uuid.UUID, list[str]] = {}
    for project_id, issue in unsure:
        by_project.setdefault(project_id, []).append(issue)
    for project_id, ids in by_project.items():
        stored = _stored(connection, project_id, ids)
        known.update((project_id, issue) for issue in stored)
        new = [issue for issue in ids if issue not in stored]
        if new:
            received_at = max(batch.issues[project_id, issue].created_at for issue in new)
            room = _room(connection, project_id, received_at)
            _overflow(batch, project_id, set(new[room:]))


def write(connection: Connection, batch: Batch) -> None:
    """Join the batch's issues and counts into the tables."""
    if not batch.issues:
        return
    is_postgres = connection.dialect.name == "postgresql"
    connection.execute(
        _join_issues(is_postgres),
        [
            {"project_id": key[0], "id": key[1], **msgspec.structs.asdict(batch.issues[key])}
            for key in sorted(batch.issues)
        ],
    )
    if batch.issue_hours:
        connection.execute(
            _add_counts(is_postgres),
            [
                {"project_id": key[0], "issue": key[1], "hour": key[2], "failed": f, "retried": r}
                for key, (f, r) in sorted(batch.issue_hours.items())
            ],
        )


def _stored(connection: Connection, project_id: uuid.UUID, ids: list[str]) -> set[str]:
    found = select(issues.c.id).where(issues.c.project_id == project_id, issues.c.id.in_(ids))
    return set(connection.execute(found).scalars())


def _room(connection: Connection, project_id: uuid.UUID, received_at: int) -> int:
    """Return how many issues may be made now."""
    of_project = select(func.count()).where(issues.c.project_id == project_id)
    lately = of_project.where(issues.c.created_at > received_at - HOUR_US)
    room = MAX_NEW_AN_HOUR - connection.execute(lately).scalar_one()
    if room > 0:
        room = min(room, MAX_ISSUES - connection.execute(of_project).scalar_one())
    return max(room, 0)


def _overflow(batch: Batch, project_id: uuid.UUID, ids: set[str]) -> None:
    if not ids:
        return
    for issue in ids:
        row = as_overflow(batch.issues.pop((project_id, issue)))
        known = batch.issues.setdefault((project_id, OVERFLOW), row)
        if known is not row:
            known.join(row)
    for key in [key for key in batch.issue_hours if key[0] == project_id and key[1] in ids]:
        counts = batch.issue_hours.pop(key)
        sums = batch.issue_hours.setdefault((project_id, OVERFLOW, key[2]), [0, 0])
        sums[0] += counts[0]
        sums[1] += counts[1]
    for (project, _, _), task in batch.tasks.items():
        if project == project_id and task.issue in ids:
            task.issue = OVERFLOW


@functools.cache
def _join_issues(is_postgres: bool) -> Any:
    statement: Any = (postgresql if is_postgres else sqlite).insert(issues)
    row, new = issues.c, statement.excluded
    is_newer = tuple_(*(new[name] for name in NEWEST)) > tuple_(*(row[name] for name in NEWEST))
    least = func.least if is_postgres else func.min
    greatest = func.greatest if is_postgres else func.max
    has_come_back = and_(row.decision == "resolved", new.last_failed_at > row.decided_at)
    return statement.on_conflict_do_update(
        index_elements=["project_id", "id"],
        set_={
            "created_at": least(row.created_at, new.created_at),
            "first_seen": least(row.first_seen, new.first_seen),
            # SQLite's min() and max() of several arguments are null as soon as one of them is.
            "last_failed_at": func.coalesce(
                greatest(row.last_failed_at, new.last_failed_at),
                row.last_failed_at,
                new.last_failed_at,
            ),
            "count": row["count"] + new["count"],
            "retried": row.retried + new.retried,
            "regressed_at": case(
                (
                    has_come_back,
                    least(func.coalesce(row.regressed_at, new.last_failed_at), new.last_failed_at),
                ),
                else_=row.regressed_at,
            ),
            **{name: case((is_newer, new[name]), else_=row[name]) for name in NEWEST},
        },
    )


@functools.cache
def _add_counts(is_postgres: bool) -> Any:
    statement: Any = (postgresql if is_postgres else sqlite).insert(issue_counts)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["project_id", "issue", "hour"],
        set_={
            "failed": issue_counts.c.failed + new.failed,
            "retried": issue_counts.c.retried + new.retried,
        },
    )
