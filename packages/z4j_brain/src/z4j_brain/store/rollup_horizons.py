"""Up to when a project's minutes, or hours, are held by coarser buckets alone."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.resolutions import Resolution
from z4j_brain.store.schema import rollup_horizons


def horizon(connection: Connection, project_id: uuid.UUID, resolution: Resolution) -> int:
    """Return the time before which there is no bucket of this resolution; 0 when all are there."""
    found: int | None = connection.execute(
        select(rollup_horizons.c.until).where(
            rollup_horizons.c.project_id == project_id,
            rollup_horizons.c.resolution == resolution,
        )
    ).scalar()
    return found or 0


def advance(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, until: int
) -> None:
    """Move the horizon forward; one that is further on already stays."""
    is_postgres = connection.dialect.name == "postgresql"
    insert = (postgresql if is_postgres else sqlite).insert
    row = insert(rollup_horizons).values(project_id=project_id, resolution=resolution, until=until)
    later = func.greatest if is_postgres else func.max
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["project_id", "resolution"],
            set_={"until": later(rollup_horizons.c.until, row.excluded.until)},
        )
    )
