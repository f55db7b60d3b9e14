"""What the record knows of queues: flow, what waits and since when, who consumes."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import BigInteger, Connection, cast, func, or_, select

from z4j_brain.store.schema import queues, rollups, tasks, worker_queues, workers

_ENDED = ("succeeded", "failed", "cancelled", "rejected")


class Flow(msgspec.Struct, frozen=True, gc=False):
    """What happened to the tasks of one queue in one minute."""

    engine: str
    queue: str
    bucket: int
    published: int
    started: int
    ended: int


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """Tasks of a queue that are `queued` in the record now; `since` is when the oldest came."""

    engine: str
    queue: str
    count: int
    since: int | None


class Consumer(msgspec.Struct, frozen=True, gc=False):
    """An online worker that takes tasks from a queue."""

    engine: str
    broker: str
    queue: str
    worker: str


class Unconsumed(msgspec.Struct, frozen=True, gc=False):
    """A queue in which tasks wait although nobody is known to take them."""

    engine: str
    queue: str
    waiting: int
    sampled_at: int


def flow(
    connection: Connection,
    project_id: uuid.UUID,
    since: int,
    until: int,
    key: tuple[str, str] | None = None,
) -> list[Flow]:
    """Return the minutes from `since` until before `until`, of all queues or of (engine, queue)."""
    ended = sum((rollups.c[name] for name in _ENDED[1:]), rollups.c[_ENDED[0]])
    sums = [
        cast(func.sum(column), BigInteger)
        for column in (rollups.c.published, rollups.c.started, ended)
    ]
    keys = (rollups.c.engine, rollups.c.queue, rollups.c.bucket)
    query = select(*keys, *sums).where(
        rollups.c.project_id == project_id, rollups.c.bucket >= since, rollups.c.bucket < until
    )
    if key is not None:
        query = query.where(rollups.c.engine == key[0], rollups.c.queue == key[1])
    return [Flow(*row) for row in connection.execute(query.group_by(*keys))]


def waiting(connection: Connection, project_id: uuid.UUID, now: int) -> list[Waiting]:
    """Return what is queued and due, by queue. A task that waits for its time is not counted."""
    rows = connection.execute(
        select(tasks.c.engine, tasks.c.queue, func.count(), func.min(tasks.c.queued_at))
        .where(
            tasks.c.project_id == project_id,
            tasks.c.ended_at.is_(None),
            tasks.c.state == "queued",
            tasks.c.queue.is_not(None),
            or_(tasks.c.eta.is_(None), tasks.c.eta <= now),
        )
        .group_by(tasks.c.engine, tasks.c.queue)
    )
    return [Waiting(*row) for row in rows]


def consumers(connection: Connection, project_id: uuid.UUID) -> list[Consumer]:
    """Return which online worker takes tasks from which queue, by name."""
    key = (worker_queues.c.engine, worker_queues.c.broker, worker_queues.c.queue)
    rows = connection.execute(
        select(*key, workers.c.worker_id)
        .join(workers, workers.c.id == worker_queues.c.worker_row)
        .where(worker_queues.c.project_id == project_id, worker_queues.c.is_consumed)
        .where(workers.c.online)
        .order_by(*key, workers.c.worker_id)
    )
    return [Consumer(*row) for row in rows]


def unconsumed(
    connection: Connection, project_id: uuid.UUID, fresh_since: int, limit: int
) -> list[Unconsumed]:
    """Return queues in which something waits by a sample since then, whose sampler is online, and
    that nobody consumes.
    """
    known = worker_queues.c
    is_same = (
        known[name] == queues.c[name] for name in ("project_id", "engine", "broker", "queue")
    )
    is_consumed = (
        select(known.queue)
        .join(workers, workers.c.id == known.worker_row)
        .where(workers.c.online, known.is_consumed, *is_same)
        .exists()
    )
    sampler = workers.alias("sampler")
    rows = connection.execute(
        select(queues.c.engine, queues.c.queue, queues.c.waiting, queues.c.sampled_at)
        .join(sampler, (sampler.c.id == queues.c.sampler) & sampler.c.online)
        .where(
            queues.c.project_id == project_id,
            queues.c.sampled_at >= fresh_since,
            queues.c.waiting > 0,
            func.coalesce(queues.c.consumers, 0) == 0,
            ~is_consumed,
        )
        .order_by(queues.c.waiting.desc(), queues.c.queue)
        .limit(limit)
    )
    return [Unconsumed(*row) for row in rows]
