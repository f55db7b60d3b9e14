"""Figures of the whole record for monitoring, each bounded in what it costs."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, select

from z4j_brain.store.schema import commands, workers

COMMAND_STATES = ("pending", "sent", "succeeded", "failed", "expired")
COUNT_LIMIT = 10_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Over all projects. `lag_us` and `outbox_events` are what online workers told last.

    `clock_offset_us` is the greatest by which an online worker's clock is off, ahead or behind.
    """

    commands: dict[str, int]
    workers_online: int
    outbox_events: int
    lag_us: int
    clock_offset_us: int


def read(connection: Connection) -> Figures:
    """Return the figures; commands of a state are not counted beyond `COUNT_LIMIT`."""
    online = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(workers.c.outbox_events), 0),
            func.coalesce(func.max(workers.c.lag_us), 0),
            func.coalesce(func.max(func.abs(workers.c.clock_offset_us)), 0),
        ).where(workers.c.online)
    ).one()
    return Figures(
        commands={state: _count(connection, state) for state in COMMAND_STATES},
        workers_online=online[0],
        outbox_events=int(online[1]),
        lag_us=online[2],
        clock_offset_us=online[3],
    )


def _count(connection: Connection, state: str) -> int:
    # Only columns of the index (state, deadline), so no row is read.
    some = select(commands.c.state).where(commands.c.state == state).limit(COUNT_LIMIT)
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
