"""Summarises what is stale: minutes from the record, hours from minutes, days from hours.

A bucket is always made anew as a whole, so a step that is repeated, cut short, or taken by two
leaders at once does no harm: the marks go in the transaction that writes what they asked for.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection

from z4j_brain.sketch import Sketch
from z4j_brain.store import ends, rollup_marks, rollups, summaries
from z4j_brain.store.database import Database
from z4j_brain.store.resolutions import COARSER, FINER, WIDTH_US, Resolution, start_of
from z4j_brain.store.rollup_horizons import horizon
from z4j_brain.store.summaries import Summaries, Summary, SummaryKey


def summarise(
    database: Database,
    project_id: uuid.UUID,
    resolution: Resolution,
    bucket: int,
    *,
    tasks_since: int = 0,
) -> None:
    """Summarise one marked bucket and mark the coarser one that holds it.

    Two transactions: one reads a snapshot, one writes and holds the marks' locks for no longer.
    Tasks that ended before `tasks_since` may have been removed; what is known of how long they
    waited and ran is then kept as it is.
    """
    with database.read() as connection:
        seen = rollup_marks.versions(connection, project_id, resolution, bucket)
        if resolution == "minute":
            found = minute_of(connection, project_id, bucket, measured=bucket >= tasks_since)
        else:
            until = bucket + WIDTH_US[resolution]
            found = summaries.merged(connection, project_id, FINER[resolution], bucket, until)
    with database.write() as connection:
        held = rollup_marks.versions(connection, project_id, resolution, bucket, lock=True)
        if not seen.keys() & held.keys():
            return  # another leader has done it, perhaps from a later snapshot
        if _can_be_made(connection, project_id, resolution, bucket):
            _write(connection, project_id, resolution, bucket, found)
        rollup_marks.take_away(connection, project_id, resolution, bucket, seen)


def _can_be_made(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, bucket: int
) -> bool:
    """Tell whether all that a bucket is made of is still there, and the bucket wanted."""
    needed = (resolution, FINER.get(resolution, resolution))
    return all(bucket >= horizon(connection, project_id, one) for one in needed)


def minute_of(
    connection: Connection, project_id: uuid.UUID, minute: int, *, measured: bool
) -> Summaries:
    """Read a minute from the record: counts from `rollups`, durations from `tasks`.

    Without `measured` the durations are those of the present summary.
    """
    until = minute + WIDTH_US["minute"]
    found: Summaries = {}
    for key, counts in rollups.summed(connection, project_id, minute, until).items():
        _of(found, *key).add_counts(counts)
    if measured:
        for measure in ends.MEASURES:
            for engine, queue, name, slot, count in ends.slot_counts(
                connection, project_id, measure, minute, until
            ):
                sketch: Sketch = getattr(_of(found, engine, queue, name), measure)
                sketch.add(slot, count)
    else:
        present = summaries.merged(connection, project_id, "minute", minute, until)
        for (scope, engine, queue, name), summary in present.items():
            if scope == "name":
                kept = _of(found, engine, queue, name)
                kept.wait, kept.run = summary.wait, summary.run
    return summaries.with_queues(found)


def add_late(
    connection: Connection, project_id: uuid.UUID, minute: int, late: dict[rollups.Key, list[int]]
) -> None:
    """Add counts of a minute that is gone to the finest bucket that is there.

    Their durations are not known: the tasks of the bucket may be gone as well.
    """
    by_name: Summaries = {}
    for key, counts in late.items():
        _of(by_name, *key).add_counts(counts)
    resolution: Resolution = "hour"
    if minute < horizon(connection, project_id, "hour"):
        resolution = "day"
    bucket = start_of(resolution, minute)
    until = bucket + WIDTH_US[resolution]
    found = summaries.merged(connection, project_id, resolution, bucket, until)
    for key_of_summary, summary in summaries.with_queues(by_name).items():
        found.setdefault(key_of_summary, Summary()).merge(summary)
    _write(connection, project_id, resolution, bucket, found)


def _write(
    connection: Connection,
    project_id: uuid.UUID,
    resolution: Resolution,
    bucket: int,
    found: Summaries,
) -> None:
    summaries.replace(connection, project_id, resolution, bucket, found)
    if resolution in COARSER:
        coarser = COARSER[resolution]
        rollup_marks.mark(connection, project_id, coarser, start_of(coarser, bucket))


def _of(found: Summaries, engine: str, queue: str, name: str) -> Summary:
    key: SummaryKey = ("name", engine, queue, name)
    return found.setdefault(key, Summary())
