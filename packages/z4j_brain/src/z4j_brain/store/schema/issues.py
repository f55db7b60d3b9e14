"""Issues: groups of failures that are alike, how often they came, what was decided."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, PrimaryKeyConstraint, Table

from z4j_brain.store.schema.collection import id_column, metadata, project_column
from z4j_brain.store.types import ByteText, Id, UtcTime

issues = Table(
    "issues",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("id", ByteText, nullable=False),
    Column("exception_type", ByteText, nullable=False),
    Column("title", ByteText, nullable=False),
    Column("stack", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("last_failed_at", UtcTime),
    Column("count", BigInteger, nullable=False, default=0),
    Column("retried", BigInteger, nullable=False, default=0),
    Column("last_engine", ByteText, nullable=False, default=""),
    Column("last_task_id", ByteText, nullable=False, default=""),
    Column("last_name", ByteText, nullable=False, default=""),
    Column("last_queue", ByteText, nullable=False, default=""),
    Column("last_message", ByteText, nullable=False, default=""),
    Column("decision", ByteText, nullable=False, default="open"),
    Column("decided_at", UtcTime),
    Column("decided_by", Id, ForeignKey("users.id")),
    Column("muted_until", UtcTime),
    Column("muted_count", BigInteger),
    Column("regressed_at", UtcTime),
    PrimaryKeyConstraint("project_id", "id"),
    Index(None, "project_id", "created_at"),
    Index(None, "project_id", "last_seen"),
)
"""Groups of failures with one signature. What ingest writes is additive and order-free; `decision`
is what a person said last, and the state follows from both (`store/issues.py`). `created_at` is by
the server's clock, all other times of failures by the worker's, but never later than received."""

issue_counts = Table(
    "issue_counts",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("issue", ByteText, primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("failed", BigInteger, nullable=False, default=0),
    Column("retried", BigInteger, nullable=False, default=0),
    Index(None, "project_id", "hour"),
)

issue_decisions = Table(
    "issue_decisions",
    metadata,
    id_column(),
    project_column(),
    Column("issue", ByteText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("decision", ByteText, nullable=False),
    Column("muted_until", UtcTime),
    Column("muted_count", BigInteger),
    Index(None, "project_id", "issue", "at"),
    Index(None, "project_id", "at"),
)
"""Who decided what about an issue, and when."""
