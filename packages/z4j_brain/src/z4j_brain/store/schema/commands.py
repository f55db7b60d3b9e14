"""What was asked for: single commands, and bulk runs with their tasks."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from z4j_brain.store.schema.collection import id_column, metadata, project_column
from z4j_brain.store.types import ByteText, Id, UtcTime

BULK_ENDS = ("succeeded", "failed", "expired", "skipped", "refused")
"""How a member of a bulk run can end; the run counts each."""

commands = Table(
    "commands",
    metadata,
    id_column(),
    project_column(),
    Column("idempotency_key", ByteText),
    Column("engine", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("task_id", ByteText),
    Column("queue", ByteText),
    Column("schedule", ByteText),
    Column("store", ByteText),
    Column("target_worker", Id, ForeignKey("workers.id"), index=True),
    Column("params", ByteText, nullable=False),
    Column("params_exact", Boolean, nullable=False, default=False),
    Column("state", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Id, ForeignKey("users.id")),
    Column("deadline", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("sent_to", Id, ForeignKey("workers.id"), index=True),
    Column("ended_at", UtcTime),
    Column("result", ByteText),
    Column("error", ByteText),
    Column("bulk_run", Id),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "project_id", "created_at"),
    Index("ix_commands_open", "state", "deadline"),
    Index(None, "project_id", "task_id"),
)
"""`params` is redacted JSON text; `params_exact` says that redaction had nothing to change."""

bulk_runs = Table(
    "bulk_runs",
    metadata,
    id_column(),
    project_column(),
    Column("idempotency_key", ByteText),
    Column("engine", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("params", ByteText, nullable=False),
    Column("filter", ByteText, nullable=False),
    Column("states", JSON),
    Column("rate", Float, nullable=False),
    Column("canary_percent", Float, nullable=False),
    Column("canary_max_failed_percent", Float, nullable=False),
    Column("canary_then", ByteText, nullable=False),
    Column("canary_patience_s", Integer, nullable=False),
    Column("skip_retried", Boolean, nullable=False),
    Column("matching", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Id, ForeignKey("users.id"), nullable=False),
    Column("key_id", Id),
    Column("state", ByteText, nullable=False),
    Column("note", ByteText),
    Column("walked_at", UtcTime),
    Column("walked_task", ByteText),
    Column("total", Integer, nullable=False, default=0),
    Column("canary_size", Integer, nullable=False, default=0),
    Column("canary_passed", Boolean, nullable=False, default=False),
    Column("taken", Integer, nullable=False, default=0),
    *(Column(name, Integer, nullable=False, default=0) for name in BULK_ENDS),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "project_id", "created_at"),
    Index(None, "state"),
)
"""An action on the tasks that a filter meets at `created_at`. The walk through them stands at
`walked_at` and `walked_task` while members are gathered; `taken` of the `total` members have had
their turn, and those that are not counted under an end wait for their result."""

bulk_members = Table(
    "bulk_members",
    metadata,
    Column("run_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("task_id", ByteText, nullable=False),
    Column("state", ByteText, nullable=False),
    Column("command_id", Id),
    Column("made_task_id", ByteText),
    Column("reason", ByteText),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Index(None, "run_id", "state", "number"),
    Index(None, "created_at"),
)
"""The tasks of a bulk run, in the order of their turn, from number 1. `made_task_id` is the task
that an engine's answer names."""
