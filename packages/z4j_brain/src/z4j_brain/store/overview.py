"""Figures over a project: from rollups, from open tasks, and from the newest finished tasks."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Subquery,
    case,
    cast,
    extract,
    func,
    literal,
    select,
)

from z4j_brain.store.schema import agents, gaps, rollups, tasks, workers

SAMPLE = 20_000
"""Percentiles look at no more than this many of the newest tasks."""
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


class Percentiles(msgspec.Struct, frozen=True, gc=False):
    """Median and 95th percentile in microseconds."""

    p50: int
    p95: int


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


def wait_percentiles(
    connection: Connection, project_id: uuid.UUID, since: int
) -> dict[tuple[str, str], Percentiles]:
    """Return the waiting times of each (engine, queue) over tasks that ended since then."""
    if connection.dialect.name == "postgresql":
        due = func.greatest(tasks.c.queued_at, tasks.c.eta)
    else:
        due = func.max(
            func.coalesce(tasks.c.queued_at, tasks.c.eta),
            func.coalesce(tasks.c.eta, tasks.c.queued_at),
        )
    return _percentiles(
        connection, project_id, since, _between(connection, due, tasks.c.started_at)
    )


def run_percentiles(
    connection: Connection, project_id: uuid.UUID, since: int
) -> dict[tuple[str, str], Percentiles]:
    """Return the running times of each (engine, queue) over tasks that ended since then."""
    by_clock = _between(connection, tasks.c.started_at, tasks.c.ended_at)
    return _percentiles(connection, project_id, since, func.coalesce(tasks.c.run_us, by_clock))


def _between(connection: Connection, earlier: Any, later: Any) -> ColumnElement[Any]:
    """Return microseconds between two times, as a number."""
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", later - earlier) * 1_000_000, BigInteger)
    difference: ColumnElement[Any] = cast(later, BigInteger) - cast(earlier, BigInteger)
    return difference


def _percentiles(
    connection: Connection, project_id: uuid.UUID, since: int, value: ColumnElement[Any]
) -> dict[tuple[str, str], Percentiles]:
    """Nearest rank, as `percentile_disc`: the smallest value with at least p of all below or at
    it, among the `SAMPLE` tasks that ended last.
    """
    sample = (
        select(
            tasks.c.engine,
            func.coalesce(tasks.c.queue, "").label("queue"),
            case((value < 0, literal(0, BigInteger)), else_=value).label("value"),
        )
        .where(tasks.c.project_id == project_id, tasks.c.ended_at >= since)
        .order_by(tasks.c.ended_at.desc())
        .limit(SAMPLE)
        .subquery()
    )
    ranked = _ranked(sample)
    percent = ranked.c.place * 100
    rows = connection.execute(
        select(
            ranked.c.engine,
            ranked.c.queue,
            func.min(case((percent >= ranked.c.size * 50, ranked.c.value))),
            func.min(case((percent >= ranked.c.size * 95, ranked.c.value))),
        ).group_by(ranked.c.engine, ranked.c.queue)
    )
    return {(engine, queue): Percentiles(p50, p95) for engine, queue, p50, p95 in rows}


def _ranked(sample: Subquery) -> Subquery:
    group = (sample.c.engine, sample.c.queue)
    place = func.row_number().over(partition_by=group, order_by=sample.c.value)
    size = func.count().over(partition_by=group)
    return (
        select(*group, sample.c.value, place.label("place"), size.label("size"))
        .where(sample.c.value.is_not(None))
        .subquery()
    )


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
