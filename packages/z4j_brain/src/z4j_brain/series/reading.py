"""Reads a series: zero-filled buckets of counts and percentiles, in groups."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection

from z4j_brain.series.figures import Group, Point, figures_of
from z4j_brain.series.window import Choice, SeriesRefused, Window, choose_window
from z4j_brain.store import rollup_marks, series_rows
from z4j_brain.store.resolutions import RESOLUTIONS, start_of
from z4j_brain.store.series_rows import MAX_ROWS, Selection, SeriesRow
from z4j_brain.store.summaries import Scope, Summary, ended

GroupBy = Literal["none", "queue", "name"]
GroupKey = tuple[str | None, str | None, str | None]
"""Engine, queue, task name; None where a group holds several."""
_EVERYTHING: GroupKey = (None, None, None)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Times in microseconds; None of a selection is everything.

    At most `top` groups are returned, those in which most tasks ended, and one more for all others.
    """

    since: int
    until: int
    resolution: Choice = "auto"
    engine: str | None = None
    queue: str | None = None
    name: str | None = None
    group_by: GroupBy = "none"
    top: int = 10
    has_points: bool = True


class Series(msgspec.Struct, frozen=True):
    """The answer. `others` is how many groups are held by the last one, 0 without such a group."""

    window: Window
    groups: list[Group]
    others: int


def read_series(
    connection: Connection, project_id: uuid.UUID, request: Request, now: int
) -> Series:
    """Return a series of one snapshot. Raises `SeriesRefused`."""
    window = choose_window(connection, project_id, request.resolution, request.since, request.until)
    rows = _rows(connection, project_id, request, window)
    by_key: dict[GroupKey, list[SeriesRow]] = defaultdict(list)
    for row in rows:
        by_key[_key_of(row, request.group_by)].append(row)
    if request.group_by == "none":
        by_key.setdefault(_EVERYTHING, [])
    ranked = sorted(by_key.items(), key=_rank)
    shown, others = ranked[: request.top], ranked[request.top :]
    partial = _partial(connection, project_id, window, now) if request.has_points else set()
    groups = [_group(key, rows_of, window, partial, request) for key, rows_of in shown]
    if others:
        rest = [row for _, rows_of in others for row in rows_of]
        groups.append(_group(_EVERYTHING, rest, window, partial, request, is_other=True))
    return Series(window, groups, len(others))


def _rows(
    connection: Connection, project_id: uuid.UUID, request: Request, window: Window
) -> list[SeriesRow]:
    is_by_name = request.group_by == "name" or request.name is not None
    scope: Scope = "name" if is_by_name else "queue"
    selection = Selection(
        resolution=window.resolution,
        scope=scope,
        since=window.since,
        until=window.until,
        engine=request.engine,
        queue=request.queue,
        name=request.name,
    )
    rows = series_rows.read(connection, project_id, selection)
    if len(rows) > MAX_ROWS:
        raise SeriesRefused(
            "from",
            "Too many queues and task names are counted in this span. Choose a shorter span, a"
            " coarser resolution, or one queue or name.",
        )
    return rows


def _partial(connection: Connection, project_id: uuid.UUID, window: Window, now: int) -> set[int]:
    """Return the buckets that still last, and those that are stale or hold a finer stale one."""
    found = {bucket for bucket in window.buckets if bucket + window.width > now}
    for resolution in RESOLUTIONS[: RESOLUTIONS.index(window.resolution) + 1]:
        stale = rollup_marks.stale_within(
            connection, project_id, resolution, window.since, window.until
        )
        found |= {start_of(window.resolution, bucket) for bucket in stale}
    return found


def _group(
    key: GroupKey,
    rows: Iterable[SeriesRow],
    window: Window,
    partial: set[int],
    request: Request,
    *,
    is_other: bool = False,
) -> Group:
    total = Summary()
    by_bucket: dict[int, Summary] = {}
    for row in rows:
        of = by_bucket.setdefault(row.bucket, Summary()) if request.has_points else total
        row.add_to(of)
    for summary in by_bucket.values():
        total.merge(summary)
    nothing = figures_of(Summary())
    points = [
        Point(at, at in partial, figures_of(by_bucket[at]) if at in by_bucket else nothing)
        for at in (window.buckets if request.has_points else ())
    ]
    return Group(*key, is_other, ended(total.counts), figures_of(total), points)


def _key_of(row: SeriesRow, group_by: GroupBy) -> GroupKey:
    if group_by == "queue":
        return row.engine, row.queue, None
    if group_by == "name":
        return row.engine, None, row.name
    return _EVERYTHING


def _rank(item: tuple[GroupKey, list[SeriesRow]]) -> tuple[int, int, tuple[str, ...]]:
    """Most ends first, then most events, then by name."""
    key, rows = item
    events = sum(sum(row.counts) for row in rows)
    return -sum(row.ended for row in rows), -events, tuple(part or "" for part in key)
