"""The audit log.

Deploy: before.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the log and the heads of its chains."""
    op.create_table(
        "audit",
        sa.Column("chain", Id, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("actor_kind", ByteText, nullable=False),
        sa.Column("actor_id", ByteText, nullable=True),
        sa.Column("actor_name", ByteText, nullable=False),
        sa.Column("action", ByteText, nullable=False),
        sa.Column("object_kind", ByteText, nullable=False),
        sa.Column("object_id", ByteText, nullable=True),
        sa.Column("object_name", ByteText, nullable=False),
        sa.Column("before", ByteText, nullable=True),
        sa.Column("after", ByteText, nullable=True),
        sa.Column("address", ByteText, nullable=True),
        sa.Column("request_id", ByteText, nullable=True),
        sa.Column("key_id", ByteText, nullable=False),
        sa.Column("previous", Bytes, nullable=False),
        sa.Column("mac", Bytes, nullable=False),
        sa.PrimaryKeyConstraint("chain", "number", name="pk_audit"),
    )
    for name in ("actor_id", "action", "object_id", "at"):
        op.create_index(f"ix_audit_chain_{name}_number", "audit", ["chain", name, "number"])
    op.create_table(
        "audit_heads",
        sa.Column("chain", Id, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("last", Bytes, nullable=False),
        sa.Column("key_id", ByteText, nullable=False),
        sa.Column("mac", Bytes, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_heads"),
    )
