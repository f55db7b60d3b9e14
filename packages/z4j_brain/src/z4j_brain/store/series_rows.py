"""The rows that a series is made of: counts and sketches by bucket and key.

Counts of minutes are those of `rollups`, which ingest writes itself, so they are never behind; all
else is what the leader summarised.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    cast,
    func,
    literal_column,
    select,
)

from z4j_brain.store.resolutions import Resolution
from z4j_brain.store.schema import COUNTS, rollup_summaries, rollups
from z4j_brain.store.summaries import Scope, Summary, ended

MAX_ROWS = 100_000
"""No more are read, and one more that says so."""
_NO_COUNTS = (0,) * len(COUNTS)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: buckets from `since` to before `until`; None of the others is everything.

    A `name` needs the scope `name`.
    """

    resolution: Resolution
    scope: Scope
    since: int
    until: int
    engine: str | None = None
    queue: str | None = None
    name: str | None = None


class SeriesRow(msgspec.Struct, frozen=True):
    """A part of what is known of one key in one bucket."""

    bucket: int
    engine: str
    queue: str
    name: str
    counts: tuple[int, ...]
    wait: bytes | None
    run: bytes | None

    @property
    def ended(self) -> int:
        """How many tasks ended."""
        return ended(self.counts)

    def add_to(self, summary: Summary) -> None:
        """Add the row to a summary."""
        summary.add_counts(self.counts)
        summary.wait.merge_bytes(self.wait)
        summary.run.merge_bytes(self.run)


def read(connection: Connection, project_id: uuid.UUID, selection: Selection) -> list[SeriesRow]:
    """Return the rows; more than `MAX_ROWS` when there are more."""
    is_minute = selection.resolution == "minute"
    found = [
        _row(row, _NO_COUNTS if is_minute else tuple(row[4:-2]), row[-2], row[-1])
        for row in connection.execute(_summarised(project_id, selection))
    ]
    if is_minute:
        found += [
            _row(row, tuple(row[4:]), None, None)
            for row in connection.execute(_counted(project_id, selection))
        ]
    return found


def _row(row: Any, counts: tuple[int, ...], wait: bytes | None, run: bytes | None) -> SeriesRow:
    return SeriesRow(row[0], row[1], row[2], row[3], counts, wait, run)


def _summarised(project_id: uuid.UUID, selection: Selection) -> Select[Any]:
    table = rollup_summaries
    names = ("bucket", "engine", "queue", "name", *COUNTS, "wait", "run")
    return (
        select(*(table.c[name] for name in names))
        .where(
            table.c.project_id == project_id,
            table.c.resolution == selection.resolution,
            table.c.scope == selection.scope,
            *_conditions(table, selection),
        )
        .limit(MAX_ROWS + 1)
    )


def _counted(project_id: uuid.UUID, selection: Selection) -> Select[Any]:
    sums = [cast(func.sum(rollups.c[name]), BigInteger) for name in COUNTS]
    key: list[ColumnElement[Any]] = [rollups.c[name] for name in ("bucket", "engine", "queue")]
    if selection.scope == "name":
        key.append(rollups.c.name)
    shown = key if selection.scope == "name" else [*key, literal_column("''")]
    return (
        select(*shown, *sums)
        .where(rollups.c.project_id == project_id, *_conditions(rollups, selection))
        .group_by(*key)
        .limit(MAX_ROWS + 1)
    )


def _conditions(table: Table, selection: Selection) -> list[ColumnElement[bool]]:
    conditions = [table.c.bucket >= selection.since, table.c.bucket < selection.until]
    for name in ("engine", "queue", "name"):
        value = getattr(selection, name)
        if value is not None:
            conditions.append(table.c[name] == value)
    return conditions
