"""The state unknown, and the memory of what was asked about tasks that seem stuck.

Deploy: before. Writing to `tasks` waits while its index is made anew.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table, and let an index give the age of open tasks."""
    op.add_column("tasks", sa.Column("unknown_at", UtcTime, nullable=True))
    op.add_column("tasks", sa.Column("unknown_reason", ByteText, nullable=True))
    op.drop_index("ix_tasks_ended", "tasks")
    op.create_index("ix_tasks_ended", "tasks", ["project_id", "ended_at", "first_at"])
    op.create_table(
        "task_probes",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("task_id", ByteText, nullable=False),
        sa.Column("life_at", UtcTime, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.Column("next_at", UtcTime, nullable=False),
        sa.Column("command_id", Id, nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("alive_at", UtcTime, nullable=True),
        sa.PrimaryKeyConstraint("project_id", "task_id", "engine", name="pk_task_probes"),
    )
    op.create_index("ix_task_probes_project_id_asked_at", "task_probes", ["project_id", "asked_at"])
    awaited = sa.text("command_id IS NOT NULL")
    op.create_index(
        "ix_task_probes_command_id",
        "task_probes",
        ["command_id"],
        postgresql_where=awaited,
        sqlite_where=awaited,
    )
