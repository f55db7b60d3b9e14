"""Figures over a project: from rollups and from open tasks."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import BigInteger, Connection, cast, func, select

from z4j_brain.store.schema import agents, gaps, rollups, tasks, workers

_COUNTED = ("started", "succeeded", "failed", "retried", "cancelled", "rejected")


class MinuteCounts(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What happened in one minute to the tasks of one queue."""

    bucket: int
    engine: str
    queue: str
    started: int
    succeeded: int
    failed: int
    retried: int
    cancelled: int
    rejected: int


class OpenCount(msgspec.Struct, frozen=True, gc=False):
    """How many tasks of a queue are in an unfinished state now."""

    engine: str
    queue: str
    state: str
    count: int


class GapCount(msgspec.Struct, frozen=True, gc=False):
    """Events that a worker had to drop."""

    worker: str
    count: int
    reason: str
    last_at: int


def minute_counts(connection: Connection, project_id: uuid.UUID, since: int) -> list[MinuteCounts]:
    """Return the counts of each minute and queue from `since` on, merged over all writers."""
    sums = [cast(func.sum(rollups.c[name]), BigInteger).label(name) for name in _COUNTED]
    keys = (rollups.c.bucket, rollups.c.engine, rollups.c.queue)
    rows = connection.execute(
        select(*keys, *sums)
        .where(rollups.c.project_id == project_id, rollups.c.bucket >= since)
        .group_by(*keys)
    )
    return [MinuteCounts(**row._mapping) for row in rows]


def open_counts(connection: Connection, project_id: uuid.UUID) -> list[OpenCount]:
    """Return how many tasks are queued, received, running and retrying now."""
    queue = func.coalesce(tasks.c.queue, "").label("queue")
    rows = connection.execute(
        select(tasks.c.engine, queue, tasks.c.state, func.count())
        .where(tasks.c.project_id == project_id, tasks.c.ended_at.is_(None))
        .group_by(tasks.c.engine, queue, tasks.c.state)
    )
    return [OpenCount(*row) for row in rows]


def gap_counts(
    connection: Connection, project_id: uuid.UUID, since: int, limit: int
) -> list[GapCount]:
    """Return what agents reported as dropped since then, by worker and reason."""
    last_at = func.max(gaps.c.received_at)
    rows = connection.execute(
        select(
            workers.c.worker_id, cast(func.sum(gaps.c.count), BigInteger), gaps.c.reason, last_at
        )
        .join(workers, workers.c.id == gaps.c.worker_row)
        .where(gaps.c.project_id == project_id, gaps.c.received_at >= since)
        .group_by(workers.c.worker_id, gaps.c.reason)
        .order_by(last_at.desc())
        .limit(limit)
    )
    return [GapCount(*row) for row in rows]


def agent_count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count the agents that are not revoked."""
    return connection.execute(
        select(func.count())
        .select_from(agents)
        .where(agents.c.project_id == project_id, agents.c.revoked_at.is_(None))
    ).scalar_one()


def last_event_at(connection: Connection, project_id: uuid.UUID) -> int | None:
    """Return when the newest event arrived."""
    return connection.execute(
        select(func.max(workers.c.last_event_at)).where(workers.c.project_id == project_id)
    ).scalar()
