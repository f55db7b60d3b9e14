"""Deletes rows that are too old, one bounded batch a transaction.

Rows are found first and then deleted by their place in the table: `ctid` on PostgreSQL, where the
lock keeps it valid until the transaction ends, `rowid` on SQLite.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    column,
    delete,
    literal_column,
    select,
    text,
)

from z4j_brain.store.schema import events, projects

BATCH = 1_000
"""No batch is larger."""


def project_ids(connection: Connection) -> list[uuid.UUID]:
    """Return every project."""
    return list(connection.execute(select(projects.c.id).order_by(projects.c.id)).scalars())


def delete_batch(
    connection: Connection,
    table: Table,
    conditions: Sequence[ColumnElement[bool]],
    order: ColumnElement[Any],
    cutoff: int,
    project_id: uuid.UUID | None = None,
) -> int:
    """Delete at most `BATCH` rows that meet the conditions, which may name `:cutoff`.

    Rows that another transaction is changing are left for a later batch, so this waits for nobody,
    and nobody deadlocks with it. Return how many were deleted.
    """
    is_postgres = connection.dialect.name == "postgresql"
    place: ColumnElement[Any] = literal_column(f"{table.name}.{'ctid' if is_postgres else 'rowid'}")
    query = select(place).where(*conditions).order_by(order).limit(BATCH)
    if project_id is not None:
        query = query.where(table.c.project_id == project_id)
    query = query.with_for_update(of=table, skip_locked=True)  # SQLite has no such clause
    rows = list(connection.execute(query, {"cutoff": cutoff}).scalars())
    _delete_places(connection, table, rows)
    return len(rows)


def delete_oldest_events(connection: Connection, cutoff: int) -> int:
    """Delete on SQLite at most `BATCH` events that were received before `cutoff`.

    Events are appended as they are received, so the first rows are the oldest and no index is
    needed.
    """
    oldest = select(column("rowid"), events.c.received_at).order_by(column("rowid")).limit(BATCH)
    rows = [row.rowid for row in connection.execute(oldest) if row.received_at < cutoff]
    _delete_places(connection, events, rows)
    return len(rows)


def _delete_places(connection: Connection, table: Table, places: list[Any]) -> None:
    if not places:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(f"DELETE FROM {table.name} WHERE ctid = ANY(CAST(:places AS tid[]))"),  # noqa: S608
            {"places": places},
        )
        return
    chosen = column("rowid").in_(bindparam("places", expanding=True))
    connection.execute(delete(table).where(chosen), {"places": places})
