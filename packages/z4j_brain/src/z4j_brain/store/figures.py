"""Figures of the whole record for monitoring, each bounded in what it costs."""

from __future__ import annotations

import msgspec
from sqlalchemy import BigInteger, Connection, cast, func, select

from z4j_brain.store.schema import commands, projects, queues, workers

COMMAND_STATES = ("pending", "sent", "succeeded", "failed", "expired")
COUNT_LIMIT = 10_000
MAX_QUEUES = 500
"""Only the deepest queues are shown, so that their number is bounded."""


class QueueDepth(msgspec.Struct, frozen=True):
    """What waits in a queue, over all its brokers; `oldest_us` is an age, None if unknown."""

    project: str
    engine: str
    queue: str
    waiting: int
    oldest_us: int | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Over all projects. `lag_us` and `outbox_events` are what online workers told last."""

    commands: dict[str, int]
    workers_online: int
    outbox_events: int
    lag_us: int
    queues: list[QueueDepth]


def read(connection: Connection, fresh_since: int) -> Figures:
    """Return the figures; commands of a state are not counted beyond `COUNT_LIMIT`.

    Of queues only samples since `fresh_since` (microseconds) are told, and at most `MAX_QUEUES`.
    """
    online = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(workers.c.outbox_events), 0),
            func.coalesce(func.max(workers.c.lag_us), 0),
        ).where(workers.c.online)
    ).one()
    return Figures(
        commands={state: _count(connection, state) for state in COMMAND_STATES},
        workers_online=online[0],
        outbox_events=int(online[1]),
        lag_us=online[2],
        queues=_depths(connection, fresh_since),
    )


def _depths(connection: Connection, fresh_since: int) -> list[QueueDepth]:
    waiting = cast(func.sum(queues.c.waiting), BigInteger).label("waiting")
    key = (projects.c.slug, queues.c.engine, queues.c.queue)
    rows = connection.execute(
        select(*key, waiting, func.max(queues.c.oldest_us))
        .join(projects, projects.c.id == queues.c.project_id)
        .where(queues.c.sampled_at >= fresh_since, queues.c.waiting.is_not(None))
        .group_by(*key)
        .order_by(waiting.desc(), *key)
        .limit(MAX_QUEUES)
    )
    return [QueueDepth(*row) for row in rows]


def _count(connection: Connection, state: str) -> int:
    # Only columns of the index (state, deadline), so no row is read.
    some = select(commands.c.state).where(commands.c.state == state).limit(COUNT_LIMIT)
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
