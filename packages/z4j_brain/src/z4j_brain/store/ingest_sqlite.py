"""The hot path on SQLite: `executemany` in one transaction that the caller begins and commits."""

from __future__ import annotations

import sqlite3
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.store.ingest_batch import (
    MINUTE_US,
    Mark,
    Minute,
    RollupKey,
    StalePosition,
    StoredEvent,
    TaskKey,
)
from z4j_brain.store.schema import COUNTS
from z4j_brain.store.upsert import TASK_COLUMNS, on_conflict
from z4j_core.fold import TaskRow

_MARK = (
    "UPDATE workers SET last_frame = ?1,"
    " last_event_at = coalesce(max(last_event_at, ?2), last_event_at, ?2)"
    " WHERE id = ?3 AND last_frame = ?4"
)
_EVENT = (
    "INSERT INTO events (project_id, received_at, worker_row, occurred_at, attempt,"
    " engine, kind, queue, name, task_id, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_TASK = (
    f"INSERT INTO tasks ({', '.join(TASK_COLUMNS)})"  # noqa: S608 - our own names
    f" VALUES ({', '.join('?' * len(TASK_COLUMNS))}) {on_conflict(postgres=False)}"
)
_REMARK = (
    " ON CONFLICT (project_id, resolution, bucket, writer) DO UPDATE SET version = excluded.version"
)
_MARK_MINUTE = (
    "INSERT INTO rollup_marks (project_id, resolution, bucket, writer, version)"  # noqa: S608 - our own names
    f" VALUES (?, 'minute', ?, ?, ?) {_REMARK}"
)
# A task that has ended counts in the summary of the minute of its end: an event that comes later
# can change its times, its queue or that very end.
_MARK_END = (
    "INSERT INTO rollup_marks (project_id, resolution, bucket, writer, version)"  # noqa: S608 - our own numbers
    f" SELECT project_id, 'minute', ended_at - ended_at % {MINUTE_US}, ?4, ?5 FROM tasks"
    " WHERE project_id = ?1 AND task_id = ?3 AND engine = ?2 AND ended_at IS NOT NULL"
    f"{_REMARK}"
)
_ROLLUP = (
    f"INSERT INTO rollups (project_id, bucket, engine, queue, name, writer, {', '.join(COUNTS)})"  # noqa: S608 - our own names
    f" VALUES (?, ?, ?, ?, ?, ?{', ?' * len(COUNTS)})"
    " ON CONFLICT (project_id, bucket, engine, queue, name, writer) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)
)


def prepare_connection(connection: Connection) -> None:
    """Nothing to prepare; the counterpart of PostgreSQL's."""


def write_marks(connection: Connection, marks: dict[UUID, Mark]) -> None:
    """Compare and set the committed positions; raise `StalePosition` when one has moved."""
    driver = _driver(connection)
    for row, mark in marks.items():
        values = (mark.position, mark.last_event_at, row.hex, mark.expected)
        if driver.execute(_MARK, values).rowcount != 1:
            raise StalePosition


def write_events(connection: Connection, events: list[StoredEvent]) -> None:
    """Append events."""
    _driver(connection).executemany(
        _EVENT,
        [
            (
                stored.origin.project_id.hex,
                stored.origin.received_at,
                stored.origin.worker_row.hex,
                event.occurred_at,
                event.attempt,
                event.engine,
                str(event.kind),
                event.queue,
                event.name,
                event.task_id,
                stored.payload.decode(),
            )
            for stored in events
            for event in (stored.event,)
        ],
    )


def stage_tasks(connection: Connection, rows: dict[TaskKey, TaskRow]) -> None:
    """Nothing to stage; the counterpart of PostgreSQL's."""


def mark_minutes(
    connection: Connection,
    rows: dict[TaskKey, TaskRow],
    minutes: set[Minute],
    writer: str,
    version: int,
) -> None:
    """Mark these minutes as stale, and those in which these tasks have ended so far."""
    driver = _driver(connection)
    driver.executemany(
        _MARK_MINUTE,
        [(project.hex, bucket, writer, version) for project, bucket in sorted(minutes)],
    )
    driver.executemany(
        _MARK_END,
        [(project.hex, engine, task, writer, version) for project, engine, task in rows],
    )


def write_tasks(connection: Connection, rows: dict[TaskKey, TaskRow]) -> None:
    """Join folded rows into `tasks` by the rule of each slot, in the order of their keys."""
    _driver(connection).executemany(
        _TASK,
        [(key[0].hex, key[1], key[2], *msgspec.structs.astuple(rows[key])) for key in sorted(rows)],
    )


def write_rollups(connection: Connection, rollups: dict[RollupKey, list[int]], writer: str) -> None:
    """Add counts to the rows of this writer."""
    _driver(connection).executemany(
        _ROLLUP,
        [
            (project.hex, bucket, engine, queue, name, writer, *counts)
            for (project, bucket, engine, queue, name), counts in sorted(rollups.items())
        ],
    )


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError(f"this path needs sqlite3, not {type(driver).__name__}")
    return driver
