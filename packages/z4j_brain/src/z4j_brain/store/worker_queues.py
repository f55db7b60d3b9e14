"""Writes of what workers tell of the queues that they know."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.schema import queues, worker_queues

MAX_QUEUES = 1_000
"""Of one project; whoever tells of more is not listened to."""
REFRESH_US = 3_600_000_000
"""`queues.seen_at` is written again only after this time."""
_KEY = ("engine", "broker", "queue")


class ToldQueue(msgspec.Struct, frozen=True, gc=False):
    """A queue as a worker tells of it."""

    engine: str
    broker: str
    queue: str
    transport: str
    is_consumed: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """Engine, broker, queue."""
        return (self.engine, self.broker, self.queue)


def replace(
    connection: Connection,
    project_id: uuid.UUID,
    worker_row: uuid.UUID,
    told: Iterable[ToldQueue],
    now: int,
) -> int:
    """Record what a worker knows now instead of what it told before; only differences are written.

    Return how many queues were left out because the project has `MAX_QUEUES` already.
    """
    wanted = {queue.key: queue for queue in told}
    left_out = _ensure(connection, project_id, wanted, now)
    for key in left_out:
        del wanted[key]
    rows = connection.execute(
        select(worker_queues).where(worker_queues.c.worker_row == worker_row)
    ).all()
    known = {(row.engine, row.broker, row.queue): row.is_consumed for row in rows}
    mine = worker_queues.c.worker_row == worker_row
    changed = [key for key in known if key not in wanted or wanted[key].is_consumed != known[key]]
    for key in changed:
        is_it = [worker_queues.c[name] == value for name, value in zip(_KEY, key, strict=True)]
        connection.execute(delete(worker_queues).where(mine, *is_it))
    fresh = [queue for key, queue in wanted.items() if key not in known or key in changed]
    values = [
        {
            "worker_row": worker_row,
            "project_id": project_id,
            **dict(zip(_KEY, queue.key, strict=True)),
            "is_consumed": queue.is_consumed,
            "told_at": now,
        }
        for queue in sorted(fresh, key=lambda one: one.key)
    ]
    if values:
        connection.execute(insert(worker_queues), values)
    return len(left_out)


def _ensure(
    connection: Connection,
    project_id: uuid.UUID,
    wanted: dict[tuple[str, str, str], ToldQueue],
    now: int,
) -> list[tuple[str, str, str]]:
    """Make the rows of new queues as far as there is room; return those that found none."""
    columns = [queues.c[name] for name in _KEY]
    rows = connection.execute(
        select(*columns, queues.c.seen_at).where(
            queues.c.project_id == project_id,
            queues.c.queue.in_([queue for _, _, queue in wanted]),
        )
    ).all()
    seen = {(row.engine, row.broker, row.queue): row.seen_at for row in rows}
    for key in sorted(key for key in wanted if seen.get(key, now) < now - REFRESH_US):
        is_it = and_(*(column == value for column, value in zip(columns, key, strict=True)))
        connection.execute(
            update(queues).where(queues.c.project_id == project_id, is_it).values(seen_at=now)
        )
    fresh = sorted(key for key in wanted if key not in seen)
    if not fresh:
        return []
    there = connection.execute(
        select(func.count()).select_from(queues).where(queues.c.project_id == project_id)
    ).scalar_one()
    room = max(0, MAX_QUEUES - there)
    _insert(connection, project_id, [wanted[key] for key in fresh[:room]], now)
    return fresh[room:]


def _insert(connection: Connection, project_id: uuid.UUID, told: list[ToldQueue], now: int) -> None:
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = [
        {
            "project_id": project_id,
            **dict(zip(_KEY, queue.key, strict=True)),
            "transport": queue.transport,
            "seen_at": now,
        }
        for queue in told
    ]
    if values:
        # Another replica may have been told of them at the same time.
        connection.execute(kind.insert(queues).on_conflict_do_nothing(), values)
