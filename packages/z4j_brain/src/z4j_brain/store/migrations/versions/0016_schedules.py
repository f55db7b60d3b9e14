"""Schedules: stores, which worker can read them, what they hold; commands on them.

Deploy: before. An older server writes none of it.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the columns."""
    op.add_column(
        "workers", sa.Column("schedulers", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column("commands", sa.Column("schedule", ByteText, nullable=True))
    op.add_column("commands", sa.Column("store", ByteText, nullable=True))
    op.create_table(
        "schedule_stores",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("scheduler", ByteText, nullable=False),
        sa.Column("store", ByteText, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("lag_s", sa.Float, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("sampler", Id),
        sa.Column("elected_at", UtcTime),
        sa.Column("sampled_at", UtcTime),
        sa.Column("read_at", UtcTime),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("error", ByteText),
        sa.PrimaryKeyConstraint("project_id", "scheduler", "store", name="pk_schedule_stores"),
    )
    op.create_index(
        "ix_schedule_stores_project_id_seen_at", "schedule_stores", ["project_id", "seen_at"]
    )
    op.create_table(
        "worker_stores",
        sa.Column("worker_row", Id, nullable=False),
        sa.Column("scheduler", ByteText, nullable=False),
        sa.Column("store", ByteText, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("told_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("worker_row", "scheduler", "store", name="pk_worker_stores"),
    )
    op.create_index("ix_worker_stores_store", "worker_stores", ["project_id", "scheduler", "store"])
    op.create_index(
        "ix_worker_stores_project_id_told_at", "worker_stores", ["project_id", "told_at"]
    )
    _create_schedules()


def _create_schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("scheduler", ByteText, nullable=False),
        sa.Column("store", ByteText, nullable=False),
        sa.Column("schedule", ByteText, nullable=False),
        sa.Column("name", ByteText, nullable=False),
        sa.Column("timing", ByteText, nullable=False),
        sa.Column("owner", ByteText, nullable=False),
        sa.Column("task", ByteText),
        sa.Column("queue", ByteText),
        sa.Column("every_s", sa.Float),
        sa.Column("timezone", ByteText),
        sa.Column("arguments", ByteText, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("last_run_at", UtcTime),
        sa.Column("next_run_at", UtcTime),
        sa.Column("runs", sa.BigInteger),
        sa.Column("undone_by", ByteText),
        sa.Column("absent", ByteText, nullable=False),
        sa.Column("form", ByteText, nullable=False),
        sa.Column("hidden", ByteText, nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("gone_at", UtcTime),
        sa.Column("misses", sa.BigInteger, nullable=False),
        sa.Column("missed_at", UtcTime),
        sa.Column("drift_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint(
            "project_id",
            "scheduler",
            "store",
            "schedule",
            name="uq_schedules_project_id_scheduler_store_schedule",
        ),
    )
    op.create_index("ix_schedules_project_id_name", "schedules", ["project_id", "name"])
    op.create_index("ix_schedules_project_id_seen_at", "schedules", ["project_id", "seen_at"])
