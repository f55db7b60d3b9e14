"""Issues: failures grouped by signature, and the issue of each task.

Deploy: before. A server of the step before does not know the new column and leaves it empty. The
index holds nothing yet, but making it reads the table of tasks once; ingest waits meanwhile.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the tables."""
    op.add_column("tasks", sa.Column("issue", ByteText))
    has_issue = sa.text("issue IS NOT NULL")
    op.create_index(
        "ix_tasks_issue",
        "tasks",
        ["project_id", "issue", "first_at"],
        postgresql_where=has_issue,
        sqlite_where=has_issue,
    )
    _create_issues()
    _create_counts()
    _create_decisions()


def _create_issues() -> None:
    op.create_table(
        "issues",
        sa.Column("project_id", Id, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("id", ByteText, nullable=False),
        sa.Column("exception_type", ByteText, nullable=False),
        sa.Column("title", ByteText, nullable=False),
        sa.Column("stack", ByteText, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column("last_failed_at", UtcTime),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("retried", sa.BigInteger, nullable=False),
        sa.Column("last_engine", ByteText, nullable=False),
        sa.Column("last_task_id", ByteText, nullable=False),
        sa.Column("last_name", ByteText, nullable=False),
        sa.Column("last_queue", ByteText, nullable=False),
        sa.Column("last_message", ByteText, nullable=False),
        sa.Column("decision", ByteText, nullable=False),
        sa.Column("decided_at", UtcTime),
        sa.Column("decided_by", Id, sa.ForeignKey("users.id")),
        sa.Column("muted_until", UtcTime),
        sa.Column("muted_count", sa.BigInteger),
        sa.Column("regressed_at", UtcTime),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_issues"),
    )
    for column in ("created_at", "last_seen"):
        op.create_index(f"ix_issues_project_id_{column}", "issues", ["project_id", column])


def _create_counts() -> None:
    op.create_table(
        "issue_counts",
        sa.Column("project_id", Id, primary_key=True),
        sa.Column("issue", ByteText, primary_key=True),
        sa.Column("hour", UtcTime, primary_key=True),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("retried", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_issue_counts_project_id_hour", "issue_counts", ["project_id", "hour"])


def _create_decisions() -> None:
    op.create_table(
        "issue_decisions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("project_id", Id, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("issue", ByteText, nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("decision", ByteText, nullable=False),
        sa.Column("muted_until", UtcTime),
        sa.Column("muted_count", sa.BigInteger),
    )
    op.create_index(
        "ix_issue_decisions_project_id_issue_at",
        "issue_decisions",
        ["project_id", "issue", "at"],
    )
    op.create_index("ix_issue_decisions_project_id_at", "issue_decisions", ["project_id", "at"])
