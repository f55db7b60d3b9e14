"""Indexes by which old rows are found and let go.

Deploy: before. The tables are small ones; writing to them waits while an index is made.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the indexes."""
    op.create_index(
        "ix_events_rejected_project_id_received_at",
        "events_rejected",
        ["project_id", "received_at"],
    )
    # Deleting a worker asks each of these whether a row still names it.
    op.create_index("ix_gaps_worker_row", "gaps", ["worker_row"])
    op.create_index("ix_commands_target_worker", "commands", ["target_worker"])
    op.create_index("ix_commands_sent_to", "commands", ["sent_to"])
