"""The index of failed, cancelled and rejected tasks answers for their queue and name as well.

Deploy: before. Tasks cannot be written while the index is made: about a second for a million tasks.
"""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_tasks_trouble", "tasks")
    op.create_index(
        "ix_tasks_trouble",
        "tasks",
        ["project_id", "trouble", "first_at", "queue", "name"],
        postgresql_where=text("trouble IS NOT NULL"),
        sqlite_where=text("trouble IS NOT NULL"),
    )
