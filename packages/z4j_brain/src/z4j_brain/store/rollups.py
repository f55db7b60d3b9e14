"""What ingest counted: events by outcome in minutes, each writer in rows of its own."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger, Connection, cast, delete, func, select

from z4j_brain.store.schema import COUNTS, rollups

Key = tuple[str, str, str]
"""Engine, queue, task name."""
_KEY = (rollups.c.engine, rollups.c.queue, rollups.c.name)


def summed(
    connection: Connection, project_id: uuid.UUID, since: int, until: int
) -> dict[Key, list[int]]:
    """Return the counts from `since` to before `until`, of all writers together."""
    sums = [cast(func.sum(rollups.c[name]), BigInteger) for name in COUNTS]
    rows = connection.execute(
        select(*_KEY, *sums)
        .where(
            rollups.c.project_id == project_id,
            rollups.c.bucket >= since,
            rollups.c.bucket < until,
        )
        .group_by(*_KEY)
    )
    return {(row[0], row[1], row[2]): list(row[3:]) for row in rows}


def take(connection: Connection, project_id: uuid.UUID, minute: int) -> dict[Key, list[int]]:
    """Delete the rows of a minute and return what they counted.

    What a writer adds at the same time is either returned or stays behind in a row.
    """
    gone = connection.execute(
        delete(rollups)
        .where(rollups.c.project_id == project_id, rollups.c.bucket == minute)
        .returning(*_KEY, *(rollups.c[name] for name in COUNTS))
    )
    found: dict[Key, list[int]] = {}
    for row in gone:
        counts = found.setdefault((row[0], row[1], row[2]), [0] * len(COUNTS))
        for index, value in enumerate(row[3:]):
            counts[index] += value
    return found


def first_minute(connection: Connection, project_id: uuid.UUID, after: int) -> int | None:
    """Return the earliest minute later than a time."""
    found: int | None = connection.execute(
        select(func.min(rollups.c.bucket)).where(
            rollups.c.project_id == project_id, rollups.c.bucket > after
        )
    ).scalar()
    return found
