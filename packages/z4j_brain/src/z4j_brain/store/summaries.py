"""Summaries of minutes, hours and days: written by the leader, read by the series."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from z4j_brain.sketch import Sketch
from z4j_brain.store.resolutions import Resolution
from z4j_brain.store.schema import COUNTS, rollup_summaries

Scope = Literal["queue", "name"]
SummaryKey = tuple[Scope, str, str, str]
"""Scope, engine, queue, task name (empty in the scope `queue`)."""

_KEY = tuple(rollup_summaries.c[name] for name in ("scope", "engine", "queue", "name"))
_VALUES = tuple(rollup_summaries.c[name] for name in (*COUNTS, "wait", "run"))


_ENDS = tuple(COUNTS.index(name) for name in ("succeeded", "failed", "cancelled", "rejected"))


def ended(counts: Sequence[int]) -> int:
    """Return how many tasks ended, of counts in the order of `COUNTS`."""
    return sum(counts[index] for index in _ENDS)


class Summary:
    """Counts in the order of `COUNTS`, and how long tasks waited and ran. Not thread-safe."""

    __slots__ = ("counts", "run", "wait")

    def __init__(self) -> None:
        self.counts = [0] * len(COUNTS)
        self.wait = Sketch()
        self.run = Sketch()

    def add_counts(self, counts: Iterable[int]) -> None:
        """Add counts in the order of `COUNTS`."""
        for index, value in enumerate(counts):
            self.counts[index] += value

    def merge(self, other: Summary) -> None:
        """Add another summary to this one."""
        self.add_counts(other.counts)
        self.wait.merge(other.wait)
        self.run.merge(other.run)


Summaries = dict[SummaryKey, Summary]


def with_queues(by_name: Summaries) -> Summaries:
    """Add to summaries of the scope `name` those of the scope `queue`."""
    found = dict(by_name)
    for (_, engine, queue, _name), summary in by_name.items():
        found.setdefault(("queue", engine, queue, ""), Summary()).merge(summary)
    return found


def merged(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, since: int, until: int
) -> Summaries:
    """Return the buckets from `since` to before `until` merged into one."""
    rows = connection.execute(
        select(*_KEY, *_VALUES).where(
            *_within(project_id, resolution), *_from_to(since, until), _any_scope()
        )
    )
    found: Summaries = {}
    for row in rows:
        summary = found.setdefault((row[0], row[1], row[2], row[3]), Summary())
        summary.add_counts(row[4:-2])
        summary.wait.merge_bytes(row[-2])
        summary.run.merge_bytes(row[-1])
    return found


def replace(
    connection: Connection,
    project_id: uuid.UUID,
    resolution: Resolution,
    bucket: int,
    summaries: Summaries,
) -> None:
    """Let a bucket be these summaries and nothing else."""
    delete_bucket(connection, project_id, resolution, bucket)
    if summaries:
        connection.execute(
            insert(rollup_summaries),
            [
                {
                    "project_id": project_id,
                    "resolution": resolution,
                    "scope": scope,
                    "bucket": bucket,
                    "engine": engine,
                    "queue": queue,
                    "name": name,
                    **dict(zip(COUNTS, summary.counts, strict=True)),
                    "wait": summary.wait.to_bytes(),
                    "run": summary.run.to_bytes(),
                }
                for (scope, engine, queue, name), summary in sorted(
                    summaries.items(), key=lambda item: item[0]
                )
            ],
        )


def delete_bucket(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, bucket: int
) -> int:
    """Delete a bucket; return how many rows it had."""
    return connection.execute(
        delete(rollup_summaries).where(
            *_within(project_id, resolution),
            _any_scope(),
            rollup_summaries.c.bucket == bucket,
        )
    ).rowcount


def first_bucket(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, after: int
) -> int | None:
    """Return the earliest bucket later than a time."""
    found: int | None = connection.execute(
        select(func.min(rollup_summaries.c.bucket)).where(
            *_within(project_id, resolution),
            rollup_summaries.c.scope == "name",
            rollup_summaries.c.bucket > after,
        )
    ).scalar()
    return found


def _within(
    project_id: uuid.UUID, resolution: Resolution
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        rollup_summaries.c.project_id == project_id,
        rollup_summaries.c.resolution == resolution,
    )


def _any_scope() -> ColumnElement[bool]:
    """Name both scopes, so that the index leads to the buckets."""
    return rollup_summaries.c.scope.in_(("queue", "name"))


def _from_to(since: int, until: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return rollup_summaries.c.bucket >= since, rollup_summaries.c.bucket < until
