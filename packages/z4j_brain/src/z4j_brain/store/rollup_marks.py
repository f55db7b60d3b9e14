"""Which minutes, hours and days have to be summarised anew.

Ingest marks the minutes that a batch touches, in its own transaction (`mark_minutes` of the hot
paths). Whoever reads a bucket to summarise it reads its marks in the same snapshot and takes away
those very versions with what it writes: a change that came between leaves its mark.
"""

from __future__ import annotations

import time
import uuid

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.resolutions import Resolution
from z4j_brain.store.schema import rollup_marks

Versions = dict[str, int]
"""The version of each writer's mark on one bucket."""


def stale(
    connection: Connection, resolution: Resolution, limit: int
) -> list[tuple[uuid.UUID, int]]:
    """Return project and start of up to `limit` marked buckets, the newest first."""
    bucket = rollup_marks.c.bucket
    rows = connection.execute(
        select(rollup_marks.c.project_id, bucket)
        .where(rollup_marks.c.resolution == resolution)
        .distinct()
        .order_by(bucket.desc(), rollup_marks.c.project_id)
        .limit(limit)
    )
    return [(row.project_id, row.bucket) for row in rows]


def stale_within(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, since: int, until: int
) -> set[int]:
    """Return the marked buckets of a project from `since` to before `until`."""
    rows = connection.execute(
        select(rollup_marks.c.bucket).where(
            rollup_marks.c.project_id == project_id,
            rollup_marks.c.resolution == resolution,
            rollup_marks.c.bucket >= since,
            rollup_marks.c.bucket < until,
        )
    )
    return set(rows.scalars())


def any_before(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, before: int
) -> bool:
    """Tell whether a bucket of that resolution that begins before a time is marked."""
    found = exists().where(
        rollup_marks.c.project_id == project_id,
        rollup_marks.c.resolution == resolution,
        rollup_marks.c.bucket < before,
    )
    return bool(connection.execute(select(found)).scalar())


def versions(
    connection: Connection,
    project_id: uuid.UUID,
    resolution: Resolution,
    bucket: int,
    *,
    lock: bool = False,
) -> Versions:
    """Return the marks on a bucket; with `lock` nobody changes them before we commit."""
    query = (
        select(rollup_marks.c.writer, rollup_marks.c.version)
        .where(*_of(project_id, resolution, bucket))
        .order_by(rollup_marks.c.writer)
    )
    rows = connection.execute(query.with_for_update() if lock else query)
    return {row.writer: row.version for row in rows}


def take_away(
    connection: Connection,
    project_id: uuid.UUID,
    resolution: Resolution,
    bucket: int,
    seen: Versions,
) -> None:
    """Remove the marks that are still of these versions."""
    for writer, version in seen.items():
        connection.execute(
            delete(rollup_marks).where(
                *_of(project_id, resolution, bucket),
                rollup_marks.c.writer == writer,
                rollup_marks.c.version == version,
            )
        )


def mark(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, bucket: int
) -> None:
    """Mark a bucket as stale, in the leader's own name."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    table: Table = rollup_marks
    row = insert(table).values(
        project_id=project_id,
        resolution=resolution,
        bucket=bucket,
        writer="",
        version=time.time_ns(),
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["project_id", "resolution", "bucket", "writer"],
            set_={"version": row.excluded.version},
        )
    )


def _of(
    project_id: uuid.UUID, resolution: Resolution, bucket: int
) -> tuple[ColumnElement[bool], ...]:
    return (
        rollup_marks.c.project_id == project_id,
        rollup_marks.c.resolution == resolution,
        rollup_marks.c.bucket == bucket,
    )
