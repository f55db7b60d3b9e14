"""Reads of the events of one task."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, case, select

from z4j_brain.store.schema import events, workers

SERVER = uuid.UUID(int=0)
"""Stands for a worker in events that the server itself records."""
SERVER_NAME = "z4j"


class EventRecord(msgspec.Struct, frozen=True, gc=False):
    """One event as it is stored; `payload` is redacted JSON text.

    `clock_offset_us` is how far the clock of the process that told it is ahead of the server's, as
    measured last; None where that is not known.
    """

    kind: str
    attempt: int
    occurred_at: int
    received_at: int
    worker: str | None
    queue: str | None
    name: str | None
    payload: str
    clock_offset_us: int | None = None


def newest(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str, limit: int
) -> list[EventRecord]:
    """Return the newest events of a task, at most `limit`, in the order they occurred."""
    rows = connection.execute(
        select(
            events.c.kind,
            events.c.attempt,
            events.c.occurred_at,
            events.c.received_at,
            case((events.c.worker_row == SERVER, SERVER_NAME), else_=workers.c.worker_id),
            events.c.queue,
            events.c.name,
            events.c.payload,
            workers.c.clock_offset_us,
        )
        .outerjoin(workers, workers.c.id == events.c.worker_row)
        .where(
            events.c.project_id == project_id,
            events.c.task_id == task_id,
            events.c.engine == engine,
        )
        .order_by(events.c.occurred_at.desc(), events.c.attempt.desc(), events.c.received_at.desc())
        .limit(limit)
    )
    return [EventRecord(*row) for row in rows][::-1]
