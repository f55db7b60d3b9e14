"""Allowances of rate limits, shared by all replicas.

Deploy: before. Older replicas do not know the table.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "rate_limits",
        sa.Column("subject", Bytes, nullable=False),
        sa.Column("full_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_rate_limits")),
    )
