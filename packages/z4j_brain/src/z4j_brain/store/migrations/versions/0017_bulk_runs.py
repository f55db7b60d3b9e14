"""Bulk runs.

Deploy: before. An older server does nothing for them: they stand still until a newer one is back.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ENDS = ("succeeded", "failed", "expired", "skipped", "refused")


def upgrade() -> None:
    """Add the tables, and which run a command belongs to."""
    op.add_column("commands", sa.Column("bulk_run", Id, nullable=True))
    op.create_table(
        "bulk_runs",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("idempotency_key", ByteText, nullable=True),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("action", ByteText, nullable=False),
        sa.Column("params", ByteText, nullable=False),
        sa.Column("filter", ByteText, nullable=False),
        sa.Column("states", sa.JSON(), nullable=True),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("canary_percent", sa.Float(), nullable=False),
        sa.Column("canary_max_failed_percent", sa.Float(), nullable=False),
        sa.Column("canary_then", ByteText, nullable=False),
        sa.Column("canary_patience_s", sa.Integer(), nullable=False),
        sa.Column("skip_retried", sa.Boolean(), nullable=False),
        sa.Column("matching", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("key_id", Id, nullable=True),
        sa.Column("state", ByteText, nullable=False),
        sa.Column("note", ByteText, nullable=True),
        sa.Column("walked_at", UtcTime(), nullable=True),
        sa.Column("walked_task", ByteText, nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("canary_size", sa.Integer(), nullable=False),
        sa.Column("canary_passed", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _ENDS),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_bulk_runs_project_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_bulk_runs_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_runs")),
        sa.UniqueConstraint(
            "project_id", "idempotency_key", name=op.f("uq_bulk_runs_project_id_idempotency_key")
        ),
    )
    op.create_index(
        op.f("ix_bulk_runs_project_id_created_at"), "bulk_runs", ["project_id", "created_at"]
    )
    op.create_index(op.f("ix_bulk_runs_state"), "bulk_runs", ["state"])
    op.create_table(
        "bulk_members",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("task_id", ByteText, nullable=False),
        sa.Column("state", ByteText, nullable=False),
        sa.Column("command_id", Id, nullable=True),
        sa.Column("made_task_id", ByteText, nullable=True),
        sa.Column("reason", ByteText, nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_bulk_members")),
    )
    op.create_index(
        op.f("ix_bulk_members_run_id_state_number"), "bulk_members", ["run_id", "state", "number"]
    )
    op.create_index(op.f("ix_bulk_members_created_at"), "bulk_members", ["created_at"])
