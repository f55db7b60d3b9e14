"""Holes in the record that agents told, and events that could not be stored."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from z4j_brain.store.ingest_batch import RejectedEvent, StoredGap
from z4j_brain.store.schema import events_rejected, gaps
from z4j_brain.store.types import new_id


def add_gaps(connection: Connection, found: list[StoredGap]) -> None:
    """Record what agents had to drop."""
    if found:
        connection.execute(
            insert(gaps),
            [
                {
                    "id": new_id(),
                    "project_id": gap.origin.project_id,
                    "worker_row": gap.origin.worker_row,
                    "count": gap.count,
                    "kinds": gap.kinds,
                    "since": gap.since,
                    "until": gap.until,
                    "reason": gap.reason,
                    "received_at": gap.origin.received_at,
                }
                for gap in found
            ],
        )


def add_rejected(connection: Connection, rejected: list[RejectedEvent]) -> None:
    """Record events that could not be stored, each with the reason."""
    if rejected:
        connection.execute(
            insert(events_rejected),
            [
                {
                    "id": new_id(),
                    "project_id": event.origin.project_id,
                    "worker_row": event.origin.worker_row,
                    "received_at": event.origin.received_at,
                    "reason": event.reason,
                }
                for event in rejected
            ],
        )
