"""Writes that a task's state is unknown: an event of the server itself, folded like any other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import events, feeds, ingest_sqlite
from z4j_brain.store.ingest_batch import Batch, Origin, StoredEvent
from z4j_brain.store.open_tasks import OpenTask
from z4j_core.events import Kind, TaskEvent
from z4j_core.fold import Details, row_of
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire

_redactor = Redactor()


class Doubt(msgspec.Struct, frozen=True):
    """A task of which nobody knows anything since its last fact, and why."""

    task: OpenTask
    reason: str


def record(connection: Connection, project_id: uuid.UUID, doubts: Sequence[Doubt], now: int) -> int:
    """Store an event for each doubt and fold it; return the feed's offset.

    A fact that arrives at the same moment wins, whichever transaction is first: the event says
    since when nothing is known, and the fold compares that with the facts.
    """
    batch = Batch()
    origin = Origin(project_id, events.SERVER, now)
    for doubt in doubts:
        _add(batch, origin, doubt, now)
    if connection.dialect.name == "postgresql":
        from z4j_brain.store import ingest_postgres as hot
    else:
        hot = ingest_sqlite  # type: ignore[misc]
    hot.prepare_connection(connection)
    hot.write_events(connection, batch.events)
    hot.stage_tasks(connection, batch.tasks)
    hot.write_tasks(connection, batch.tasks)
    return feeds.advance(connection, project_id)


def _add(batch: Batch, origin: Origin, doubt: Doubt, now: int) -> None:
    task, since = doubt.task, doubt.task.last_at
    event = to_wire(
        TaskEvent(
            kind=Kind.UNKNOWN,
            engine=task.engine,
            task_id=task.task_id,
            occurred_at=now,
            attempt=task.attempt,
            name=task.name,
            queue=task.queue,
            data={"since": since, "reason": doubt.reason},
        ),
        _redactor,
    )
    details = msgspec.json.decode(event.payload, type=Details)
    row = row_of(event, details, None)
    batch.tasks[(origin.project_id, task.engine, task.task_id)] = row
    batch.events.append(StoredEvent(origin, event, event.payload))
