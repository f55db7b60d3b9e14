"""The live feed's offset of a project."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, select, update

from z4j_brain.store.schema import feeds


def advance(connection: Connection, project_id: uuid.UUID) -> int:
    """Raise the offset by one and return it; call it last in a transaction.

    The row lock orders the commits of one project, so offsets become visible in order.
    """
    raised: int = connection.execute(
        update(feeds)
        .where(feeds.c.project_id == project_id)
        .values(position=feeds.c.position + 1)
        .returning(feeds.c.position)
    ).scalar_one()
    return raised


def position(connection: Connection, project_id: uuid.UUID) -> int:
    """Return the offset of this snapshot; read it before the list that it belongs to."""
    present: int = connection.execute(
        select(feeds.c.position).where(feeds.c.project_id == project_id)
    ).scalar_one()
    return present
