"""The record: what happened to tasks, what became of them, and what is sealed of them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    text,
)

from z4j_brain.store.schema.collection import id_column, metadata
from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

events = Table(
    "events",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("occurred_at", UtcTime, nullable=False),
    Column("worker_row", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("kind", ByteText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("queue", ByteText),
    Column("name", ByteText),
    Column("payload", ByteText, nullable=False),
    Index("ix_events_project_id_task_id", "project_id", "task_id"),
    postgresql_partition_by="RANGE (received_at)",
)
"""Append only. `payload` is redacted JSON text; it is never searched, so it is not `jsonb`."""

events_rejected = Table(
    "events_rejected",
    metadata,
    id_column(),
    Column("project_id", Id, nullable=False),
    Column("worker_row", Id, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("reason", ByteText, nullable=False),
    Index(None, "project_id", "received_at"),
)

_TROUBLE = "CASE WHEN state IN ('failed', 'cancelled', 'rejected') THEN state END"


def _partial(name: str, where: str, *columns: str) -> Index:
    return Index(
        name,
        "project_id",
        *columns,
        postgresql_where=text(where),
        sqlite_where=text(where),
    )


tasks = Table(
    "tasks",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("state", ByteText, nullable=False),
    Column("state_rank", Integer, nullable=False),
    Column("state_at", UtcTime, nullable=False),
    Column("worker", ByteText),
    Column("result", ByteText),
    Column("run_us", BigInteger),
    Column("exception_type", ByteText),
    Column("exception_message", ByteText),
    Column("issue", ByteText),
    Column("ended_at", UtcTime),
    Column("attempt", Integer, nullable=False),
    Column("queued_at", UtcTime),
    Column("received_at", UtcTime),
    Column("started_at", UtcTime),
    Column("eta", UtcTime),
    Column("first_at", UtcTime, nullable=False),
    Column("published_at", UtcTime),
    Column("name", ByteText),
    Column("queue", ByteText),
    Column("args", ByteText),
    Column("kwargs", ByteText),
    Column("exact", Boolean),
    Column("parent_id", ByteText),
    Column("root_id", ByteText),
    Column("group_id", ByteText),
    Column("retried_from", ByteText),
    Column("priority", SmallInteger),
    Column("last_at", UtcTime, nullable=False),
    Column("unknown_at", UtcTime),
    Column("unknown_reason", ByteText),
    Column("trouble", ByteText, Computed(_TROUBLE, persisted=True)),
    # The task id before the engine: a prefix of an id is searched for without naming an engine.
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index("ix_tasks_recent", "project_id", "first_at"),
    Index("ix_tasks_name", "project_id", "name", "first_at"),
    Index("ix_tasks_queue", "project_id", "queue", "first_at"),
    # Of open tasks, whose end is null, it gives the order of age: so they are walked in pages.
    Index("ix_tasks_ended", "project_id", "ended_at", "first_at"),
    # Queue and name come last, so that they are compared in the index and keep its order.
    _partial("ix_tasks_trouble", "trouble IS NOT NULL", "trouble", "first_at", "queue", "name"),
    _partial("ix_tasks_exception", "exception_type IS NOT NULL", "exception_type", "first_at"),
    _partial("ix_tasks_issue", "issue IS NOT NULL", "issue", "first_at"),
    _partial("ix_tasks_retried_from", "retried_from IS NOT NULL", "retried_from"),
    _partial("ix_tasks_parent", "parent_id IS NOT NULL", "parent_id"),
    _partial("ix_tasks_group", "group_id IS NOT NULL", "group_id"),
    _partial("ix_tasks_root", "root_id <> task_id", "root_id"),
    postgresql_with={"fillfactor": 80},
)
"""One row for each task: the columns after the key are those of `z4j_core.fold.TaskRow`, and then
`trouble`, which the database computes: the state if it is failed, cancelled or rejected.

No index and no index predicate names `state`: PostgreSQL then updates a row in place (HOT) as long
as the task is on its way. Only an event that ends an attempt with an exception, or that ends the
task and so sets `ended_at` and perhaps `trouble`, writes the indexes once more. `ended_at` is null
exactly while the state is queued, received, running, retrying or unknown: of an unknown one nobody
can tell an end."""

sealed_payloads = Table(
    "sealed_payloads",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("key_id", ByteText, nullable=False),
    Column("envelope", Bytes, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index(None, "project_id", "received_at"),
)
"""What agents sealed with a task (`z4j_core.seal`), of its latest attempt that came with any. Only
agents can open an `envelope`; `key_id` is read from it, as hexadecimal. No foreign key to `tasks`:
its check would cost every task's row, sealed or not."""

task_probes = Table(
    "task_probes",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("life_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("command_id", Id),
    Column("place", Integer),
    Column("alive_at", UtcTime),
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index(None, "project_id", "asked_at"),
    Index(
        "ix_task_probes_command_id",
        "command_id",
        postgresql_where=text("command_id IS NOT NULL"),
        sqlite_where=text("command_id IS NOT NULL"),
    ),
)
"""What was asked about tasks that seem stuck. `life_at` is the task's last fact when it was asked
last: a later fact begins a new life, and the count of tries with it. `command_id` and `place` say
which answer is awaited. A row tells nothing of what became of its task."""
