"""Workers whose clocks are wrong, so that times they tell cannot be compared with others'."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import Connection, func, select

from z4j_brain.store.schema import workers

ODD_US = 2_000_000
"""A clock that is further off than this (microseconds) is worth a warning."""


def odd_clocks(connection: Connection, project_id: uuid.UUID, names: Collection[str]) -> set[str]:
    """Return which workers of these names have, or had in some incarnation, a clock that is off."""
    if not names:
        return set()
    found = connection.execute(
        select(workers.c.worker_id).where(
            workers.c.project_id == project_id,
            workers.c.worker_id.in_(names),
            func.abs(workers.c.clock_offset_us) > ODD_US,
        )
    )
    return set(found.scalars())
