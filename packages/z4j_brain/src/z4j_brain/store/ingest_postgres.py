"""The hot path on PostgreSQL: binary COPY of events, one upsert of tasks from a staging table.

Each function is one step of the ingest transaction; the caller begins and commits it.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import Connection

from z4j_brain.store import binary_copy as copy
from z4j_brain.store.ingest_batch import (
    Mark,
    Minute,
    Origin,
    RollupKey,
    StalePosition,
    StoredEvent,
    TaskKey,
)
from z4j_brain.store.partitions import partition_of
from z4j_brain.store.schema import COUNTS
from z4j_brain.store.schema import tasks as tasks_table
from z4j_brain.store.types import to_datetime
from z4j_brain.store.upsert import ROW_COLUMNS, TASK_COLUMNS, on_conflict
from z4j_core.fold import TaskRow

_STAGING = "z4j_tasks_staging"

_prefix = Struct(">hi16siqi16s").pack
_when = Struct(">iqii").pack
_length = Struct(">i").pack

_EVENT_COLUMNS = (
    "project_id, received_at, worker_row, occurred_at, attempt,"
    " engine, kind, queue, name, task_id, payload"
)
_MARKS = (
    "UPDATE workers SET last_frame = mark.position,"
    " last_event_at = greatest(workers.last_event_at, mark.event_at)"
    " FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::timestamptz[])"
    " AS mark (id, expected, position, event_at)"
    " WHERE workers.id = mark.id AND workers.last_frame = mark.expected"
)
_CREATE_STAGING = f"CREATE TEMP TABLE IF NOT EXISTS {_STAGING} (LIKE tasks) ON COMMIT DELETE ROWS"
_COPY_TASKS = f"COPY {_STAGING} ({', '.join(TASK_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
_JOIN_TASKS = (
    f"INSERT INTO tasks ({', '.join(TASK_COLUMNS)}) SELECT {', '.join(TASK_COLUMNS)}"  # noqa: S608 - our own names
    f" FROM {_STAGING} {on_conflict(postgres=True)}"
)
# A task that has ended counts in the summary of the minute of its end: an event that comes later
# can change its times, its queue or that very end.
_MARK_MINUTES = (
    "INSERT INTO rollup_marks (project_id, resolution, bucket, writer, version)"  # noqa: S608 - our own names
    " SELECT project_id, 'minute', bucket, %s, %s FROM ("
    "  SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])"
    "  UNION SELECT project_id, date_trunc('minute', ended_at) FROM ("
    "   SELECT project_id, (SELECT ended_at FROM tasks WHERE tasks.project_id = staged.project_id"
    "    AND tasks.task_id = staged.task_id AND tasks.engine = staged.engine) AS ended_at"
    f"   FROM {_STAGING} AS staged) AS known WHERE ended_at IS NOT NULL"
    " ) AS stale (project_id, bucket) ORDER BY project_id, bucket"
    " ON CONFLICT (project_id, resolution, bucket, writer)"
    " DO UPDATE SET version = excluded.version"
)
_ROLLUPS = (
    f"INSERT INTO rollups (project_id, bucket, engine, queue, name, writer, {', '.join(COUNTS)})"  # noqa: S608 - our own names
    " SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],"
    f" %s::text[]{', %s::bigint[]' * len(COUNTS)})"
    " ON CONFLICT (project_id, bucket, engine, queue, name, writer) DO UPDATE SET "
    + ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in COUNTS)
)


def _encoders() -> tuple[copy.Encode, ...]:
    """Choose the encoder of each field of a task row by the type of its column."""
    by_type: dict[str, copy.Encode] = {
        "Text": copy.text,
        "UtcTime": copy.timestamp,
        "BigInteger": copy.bigint,
        "Integer": copy.integer,
        "SmallInteger": copy.smallint,
        "Boolean": copy.boolean,
    }
    return tuple(by_type[type(tasks_table.c[name].type).__name__] for name in ROW_COLUMNS)


_ENCODERS = _encoders()
_FIELDS = _length(len(TASK_COLUMNS))[2:]


def prepare_connection(connection: Connection) -> None:
    """Create what a new connection needs once, outside the ingest transactions."""
    with _cursor(connection) as cursor:
        cursor.execute(_CREATE_STAGING)


def write_marks(connection: Connection, marks: dict[UUID, Mark]) -> None:
    """Compare and set the committed positions; raise `StalePosition` when one has moved."""
    rows = sorted(marks.items())
    values = [
        [row for row, _ in rows],
        [mark.expected for _, mark in rows],
        [mark.position for _, mark in rows],
        [
            None if mark.last_event_at is None else to_datetime(mark.last_event_at)
            for _, mark in rows
        ],
    ]
    with _cursor(connection) as cursor:
        cursor.execute(_MARKS, values, prepare=True)
        if cursor.rowcount != len(rows):
            raise StalePosition


def write_events(connection: Connection, events: list[StoredEvent]) -> None:
    """Append events by binary COPY straight into the partition of their day."""
    by_partition: dict[str, list[StoredEvent]] = {}
    for stored in events:
        by_partition.setdefault(partition_of(stored.origin.received_at), []).append(stored)
    for partition, stored_events in by_partition.items():
        statement = f"COPY {partition} ({_EVENT_COLUMNS}) FROM STDIN (FORMAT BINARY)"
        _copy(connection, statement, encode_events(stored_events))


def stage_tasks(connection: Connection, rows: dict[TaskKey, TaskRow]) -> None:
    """Bring folded rows where `mark_minutes` and `write_tasks` find them."""
    if rows:
        _copy(connection, _COPY_TASKS, _encode_tasks(rows))


def mark_minutes(
    connection: Connection,
    rows: dict[TaskKey, TaskRow],
    minutes: set[Minute],
    writer: str,
    version: int,
) -> None:
    """Mark these minutes as stale, and those in which the staged tasks have ended so far."""
    if rows:
        known = sorted(minutes)
        projects = [project_id for project_id, _ in known]
        buckets = [to_datetime(bucket) for _, bucket in known]
        with _cursor(connection) as cursor:
            # Planned each time: a plan made while there were few tasks, and then kept, may walk
            # all tasks of the project for each staged one.
            cursor.execute(_MARK_MINUTES, (writer, version, projects, buckets), prepare=False)


def write_tasks(connection: Connection, rows: dict[TaskKey, TaskRow]) -> None:
    """Join the staged rows into `tasks` by the rule of each slot, in the order of their keys."""
    if rows:
        with _cursor(connection) as cursor:
            cursor.execute(_JOIN_TASKS, prepare=True)


def write_rollups(connection: Connection, rollups: dict[RollupKey, list[int]], writer: str) -> None:
    """Add counts to the rows of this writer."""
    if not rollups:
        return
    rows = [
        (project, to_datetime(bucket), engine, queue, name, writer, *counts)
        for (project, bucket, engine, queue, name), counts in sorted(rollups.items())
    ]
    with _cursor(connection) as cursor:
        cursor.execute(_ROLLUPS, [list(column) for column in zip(*rows, strict=True)], prepare=True)


def encode_events(events: Iterable[StoredEvent]) -> bytes:
    """Return the binary COPY stream of these events."""
    parts = [copy.HEADER]
    heads: dict[tuple[str, str, str | None, str | None], bytes] = {}
    origin: Origin | None = None
    prefix = b""
    for stored in events:
        if stored.origin is not origin:
            origin = stored.origin
            prefix = _origin_fields(origin)
        event = stored.event
        labels = (event.engine, event.kind, event.queue, event.name)
        head = heads.get(labels)
        if head is None:
            head = heads[labels] = b"".join(map(copy.text, labels))
        task_id = event.task_id.encode()
        payload = stored.payload
        parts += (
            prefix,
            _when(8, event.occurred_at - copy.EPOCH_SHIFT_US, 4, event.attempt),
            head,
            _length(len(task_id)),
            task_id,
            _length(len(payload)),
            payload,
        )
    parts.append(copy.TRAILER)
    return b"".join(parts)


def _origin_fields(origin: Origin) -> bytes:
    return _prefix(
        11,
        16,
        origin.project_id.bytes,
        8,
        origin.received_at - copy.EPOCH_SHIFT_US,
        16,
        origin.worker_row.bytes,
    )


def _encode_tasks(rows: dict[TaskKey, TaskRow]) -> bytes:
    parts = [copy.HEADER]
    for key in sorted(rows):
        project_id, engine, task_id = key
        parts += (_FIELDS, copy.uuid(project_id), copy.text(engine), copy.text(task_id))
        values = msgspec.structs.astuple(rows[key])
        parts += [encode(value) for encode, value in zip(_ENCODERS, values, strict=True)]
    parts.append(copy.TRAILER)
    return b"".join(parts)


def _copy(connection: Connection, statement: str, data: bytes) -> None:
    with _cursor(connection) as cursor, cursor.copy(statement.encode()) as stream:
        stream.write(data)


def _cursor(connection: Connection) -> psycopg.Cursor[tuple[object, ...]]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"this path needs psycopg, not {type(driver).__name__}")
    return driver.cursor()
