"""Summaries of minutes, hours and days, and the marks of stale ones.

Deploy: before. Every minute that was counted so far is marked, so the leader summarises it soon.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTS = ("published", "started", "succeeded", "failed", "retried", "cancelled", "rejected")


def upgrade() -> None:
    """Create the tables and mark what is to be summarised."""
    op.create_table(
        "rollup_marks",
        *_key("resolution"),
        sa.Column("bucket", UtcTime(), nullable=False),
        sa.Column("writer", ByteText, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "project_id", "resolution", "bucket", "writer", name=op.f("pk_rollup_marks")
        ),
    )
    op.create_table(
        "rollup_summaries",
        *_key("resolution", "scope"),
        sa.Column("bucket", UtcTime(), nullable=False),
        *(sa.Column(name, ByteText, nullable=False) for name in ("engine", "queue", "name")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _COUNTS),
        sa.Column("wait", Bytes),
        sa.Column("run", Bytes),
        sa.PrimaryKeyConstraint(
            *("project_id", "resolution", "scope", "bucket", "engine", "queue", "name"),
            name=op.f("pk_rollup_summaries"),
        ),
    )
    op.create_table(
        "rollup_horizons",
        *_key("resolution"),
        sa.Column("until", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "resolution", name=op.f("pk_rollup_horizons")),
    )
    op.execute(
        "INSERT INTO rollup_marks (project_id, resolution, bucket, writer, version)"
        " SELECT DISTINCT project_id, 'minute', bucket, '', 0 FROM rollups"
    )


def _key(*names: str) -> list[sa.Column]:  # type: ignore[type-arg]
    texts = (sa.Column(name, ByteText, nullable=False) for name in names)
    return [sa.Column("project_id", Id, nullable=False), *texts]
