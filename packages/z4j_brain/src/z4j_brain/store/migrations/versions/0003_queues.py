"""Waiting work: queues, which worker knows them, samples of their depth.

Deploy: before. New tables only.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "queues",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("broker", ByteText, nullable=False),
        sa.Column("queue", ByteText, nullable=False),
        sa.Column("transport", ByteText, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("sampler", Id),
        sa.Column("elected_at", UtcTime),
        sa.Column("sampled_at", UtcTime),
        sa.Column("waiting", sa.BigInteger),
        sa.Column("unacked", sa.BigInteger),
        sa.Column("consumers", sa.BigInteger),
        sa.Column("oldest_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("project_id", "engine", "broker", "queue", name="pk_queues"),
    )
    op.create_table(
        "worker_queues",
        sa.Column("worker_row", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("broker", ByteText, nullable=False),
        sa.Column("queue", ByteText, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("is_consumed", sa.Boolean, nullable=False),
        sa.Column("told_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("worker_row", "engine", "broker", "queue", name="pk_worker_queues"),
    )
    key = ["project_id", "engine", "broker", "queue"]
    op.create_index("ix_worker_queues_queue", "worker_queues", key)
    op.create_index(
        "ix_worker_queues_project_id_told_at", "worker_queues", ["project_id", "told_at"]
    )
    op.create_table(
        "queue_samples",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("broker", ByteText, nullable=False),
        sa.Column("queue", ByteText, nullable=False),
        sa.Column("bucket", UtcTime, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("waiting", sa.BigInteger),
        sa.Column("waiting_max", sa.BigInteger),
        sa.Column("unacked", sa.BigInteger),
        sa.Column("oldest_us", sa.BigInteger),
        sa.PrimaryKeyConstraint(
            "project_id", "engine", "broker", "queue", "bucket", name="pk_queue_samples"
        ),
    )
    op.create_index("ix_queue_samples_project_id_bucket", "queue_samples", ["project_id", "bucket"])
