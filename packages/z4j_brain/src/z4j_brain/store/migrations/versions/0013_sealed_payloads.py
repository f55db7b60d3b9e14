"""Sealed payloads.

Deploy: before. Nothing is written to the new table until an agent seals.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sealed_payloads",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("task_id", ByteText, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("key_id", ByteText, nullable=False),
        sa.Column("envelope", Bytes, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "task_id", "engine", name=op.f("pk_sealed_payloads")),
    )
    op.create_index(
        "ix_sealed_payloads_project_id_received_at",
        "sealed_payloads",
        ["project_id", "received_at"],
    )
