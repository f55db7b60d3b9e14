"""Schedules, where they are stored, and which workers can reach them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Table, UniqueConstraint

from z4j_brain.store.schema.collection import id_column, metadata
from z4j_brain.store.types import ByteText, Id, UtcTime

schedule_stores = Table(
    "schedule_stores",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("scheduler", ByteText, primary_key=True),
    Column("store", ByteText, primary_key=True),
    Column("engine", ByteText, nullable=False),
    Column("lag_s", Float, nullable=False, default=0.0),
    Column("seen_at", UtcTime, nullable=False),
    Column("sampler", Id),
    Column("elected_at", UtcTime),
    Column("sampled_at", UtcTime),
    Column("read_at", UtcTime),
    Column("total", BigInteger, nullable=False, default=0),
    Column("error", ByteText),
    Index(None, "project_id", "seen_at"),
)
"""Where schedulers keep schedules. `sampled_at` is when its reader told anything, `read_at` when
the schedules themselves."""

worker_stores = Table(
    "worker_stores",
    metadata,
    Column("worker_row", Id, primary_key=True),
    Column("scheduler", ByteText, primary_key=True),
    Column("store", ByteText, primary_key=True),
    Column("project_id", Id, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Index("ix_worker_stores_store", "project_id", "scheduler", "store"),
    Index(None, "project_id", "told_at"),
)
"""Which stores of schedules a worker's process can read."""

schedules = Table(
    "schedules",
    metadata,
    id_column(),
    Column("project_id", Id, nullable=False),
    Column("scheduler", ByteText, nullable=False),
    Column("store", ByteText, nullable=False),
    Column("schedule", ByteText, nullable=False),
    Column("name", ByteText, nullable=False),
    Column("timing", ByteText, nullable=False),
    Column("owner", ByteText, nullable=False),
    Column("task", ByteText),
    Column("queue", ByteText),
    Column("every_s", Float),
    Column("timezone", ByteText),
    Column("arguments", ByteText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last_run_at", UtcTime),
    Column("next_run_at", UtcTime),
    Column("runs", BigInteger),
    Column("undone_by", ByteText),
    Column("absent", ByteText, nullable=False),
    Column("form", ByteText, nullable=False),
    Column("hidden", ByteText, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("gone_at", UtcTime),
    Column("misses", BigInteger, nullable=False, default=0),
    Column("missed_at", UtcTime),
    Column("drift_us", BigInteger),
    UniqueConstraint("project_id", "scheduler", "store", "schedule"),
    Index(None, "project_id", "name"),
    Index(None, "project_id", "seen_at"),
)
"""Schedules as last told. `arguments`, `absent`, `form` and `hidden` are JSON text; `missed_at` is
the due time that was missed last, and `drift_us` how late the last run was."""
