"""Queues, who works on them, and how deep they were."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table

from z4j_brain.store.schema.collection import metadata
from z4j_brain.store.types import ByteText, Id, UtcTime

queues = Table(
    "queues",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("transport", ByteText, nullable=False, default=""),
    Column("seen_at", UtcTime, nullable=False),
    Column("sampler", Id),
    Column("elected_at", UtcTime),
    Column("sampled_at", UtcTime),
    Column("waiting", BigInteger),
    Column("unacked", BigInteger),
    Column("consumers", BigInteger),
    Column("oldest_us", BigInteger),
)
"""Every queue that some process told of. `sampler` is the row of the worker that is elected to
sample it. From `sampled_at` on the columns are its last sample: null is "cannot be told"."""

worker_queues = Table(
    "worker_queues",
    metadata,
    Column("worker_row", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("project_id", Id, nullable=False),
    Column("is_consumed", Boolean, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Index("ix_worker_queues_queue", "project_id", "engine", "broker", "queue"),
    Index(None, "project_id", "told_at"),
)
"""Which queues a worker's process knows, and which of them it takes tasks from."""

queue_samples = Table(
    "queue_samples",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("bucket", UtcTime, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("waiting", BigInteger),
    Column("waiting_max", BigInteger),
    Column("unacked", BigInteger),
    Column("oldest_us", BigInteger),
    Index(None, "project_id", "bucket"),
)
"""The samples of a minute: the last `waiting` and `unacked`, the greatest waiting and age. A minute
without samples has no row."""
