"""Authenticator apps and recovery codes.

Deploy: before.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, Id, UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and an index of the sessions of a person."""
    op.create_table(
        "totp_secrets",
        _user("totp_secrets"),
        sa.Column("sealed", Bytes, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("confirmed_at", UtcTime()),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp_secrets")),
    )
    op.create_table(
        "recovery_codes",
        _user("recovery_codes"),
        sa.Column("code_hash", Bytes, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])


def _user(table: str) -> sa.Column:  # type: ignore[type-arg]
    reference = sa.ForeignKey("users.id", name=op.f(f"fk_{table}_user_id"))
    return sa.Column("user_id", Id, reference, nullable=False)
