"""Agents with their tokens, the workers that they run in, and what those dropped."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
)

from z4j_brain.store.schema.collection import id_column, metadata, project_column
from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

agents = Table(
    "agents",
    metadata,
    id_column(),
    project_column(),
    Column("name", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    UniqueConstraint("project_id", "name"),
)

agent_tokens = Table(
    "agent_tokens",
    metadata,
    id_column(),
    Column("agent_id", Id, ForeignKey("agents.id"), nullable=False, index=True),
    Column("secret_hash", Bytes, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("last_address", ByteText),
    Column("revoked_at", UtcTime),
    Column("expires_at", UtcTime),
)
"""A token that was rotated has a set end, `expires_at`."""

workers = Table(
    "workers",
    metadata,
    id_column(),
    project_column(),
    Column("agent_id", Id, ForeignKey("agents.id"), nullable=False),
    Column("worker_id", ByteText, nullable=False),
    Column("epoch", ByteText, nullable=False),
    Column("host", ByteText, nullable=False, default=""),
    Column("pid", BigInteger, nullable=False, default=0),
    Column("role", ByteText, nullable=False, default="worker"),
    Column("framework", ByteText),
    Column("agent_version", ByteText, nullable=False, default=""),
    Column("python_version", ByteText, nullable=False, default=""),
    Column("engines", JSON, nullable=False),
    Column("plugin_errors", JSON, nullable=False),
    Column("schedulers", JSON, nullable=False, server_default="[]"),
    Column("online", Boolean, nullable=False, default=True),
    Column("replica", ByteText),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("last_frame", BigInteger, nullable=False, default=0),
    Column("last_event_at", UtcTime),
    Column("lag_us", BigInteger),
    Column("clock_offset_us", BigInteger),
    Column("outbox_events", BigInteger, nullable=False, default=0),
    Column("dropped", BigInteger, nullable=False, default=0),
    Column("processed", BigInteger, nullable=False, default=0),
    Column("cpu_percent", Float),
    Column("rss_bytes", BigInteger),
    UniqueConstraint("agent_id", "worker_id", "epoch"),
    Index(None, "project_id", "last_seen"),
)
"""One row for each process incarnation. `last_frame` is the number of its last committed frame.
`engines` is the list of `EngineInfo` as the agent announced it."""

gaps = Table(
    "gaps",
    metadata,
    id_column(),
    project_column(),
    Column("worker_row", Id, ForeignKey("workers.id"), nullable=False, index=True),
    Column("count", BigInteger, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("reason", ByteText, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Index(None, "project_id", "received_at"),
)
