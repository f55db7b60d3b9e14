"""A project's own rules of redaction.

Deploy: before. An older server does not know them and redacts by the built-in rules only.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "redaction_rules",
        sa.Column("project_id", Id, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rules", ByteText, nullable=False),
        sa.Column("changed_at", UtcTime, nullable=False),
        sa.Column("changed_by", Id, sa.ForeignKey("users.id"), nullable=True),
        sa.PrimaryKeyConstraint("project_id", name="pk_redaction_rules"),
    )
