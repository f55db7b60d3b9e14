"""Identities of an identity provider, and the accounts they are linked to.

Deploy: before. Nothing is written to the table until somebody signs in by a provider.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import ByteText, Id, UtcTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "oidc_identities",
        sa.Column("issuer", ByteText, nullable=False),
        sa.Column("subject", ByteText, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("linked_at", UtcTime(), nullable=False),
        sa.Column("used_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_oidc_identities_user_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_oidc_identities")),
        sa.UniqueConstraint("user_id", "issuer", name=op.f("uq_oidc_identities_user_id_issuer")),
    )
