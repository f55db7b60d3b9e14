"""How a series is told."""

from __future__ import annotations

from typing import Any

import msgspec

from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.series.figures import Figures, Group, Percentiles, Point
from z4j_brain.series.reading import Series
from z4j_brain.store.resolutions import Resolution


class Durations(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds, within 1 % of the true ones."""

    p50: float
    p95: float
    p99: float


class FiguresView(msgspec.Struct, frozen=True):
    """Counts of events, and how long the tasks that ended waited and ran.

    `wait_ms` and `run_ms` are null where no task ended of which it is known.
    """

    published: int
    started: int
    succeeded: int
    failed: int
    retried: int
    cancelled: int
    rejected: int
    wait_ms: Durations | None
    run_ms: Durations | None


class PointView(FiguresView, frozen=True, kw_only=True):
    """One bucket from `at` on; `partial` while it lasts or is not fully summarised."""

    at: Timestamp
    partial: bool


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, a task name, everything, or with `other` all groups beyond the `top` ones.

    `ended` counts succeeded, failed, cancelled and rejected.
    """

    engine: str | None
    queue: str | None
    name: str | None
    other: bool
    ended: int
    total: FiguresView


class SeriesGroup(GroupView, frozen=True, kw_only=True):
    """A group with a point for each bucket, the oldest first."""

    points: list[PointView]


class SeriesView(
    msgspec.Struct, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}
):
    """Whole buckets from `from` to before `to`; groups with the most ended tasks first.

    `others` is how many groups are put together in the one that is `other`.
    """

    since: Timestamp
    until: Timestamp
    resolution: Resolution
    step_s: int
    groups: list[SeriesGroup]
    others: int


class TotalsView(
    msgspec.Struct, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}
):
    """What a series is over its whole span."""

    since: Timestamp
    until: Timestamp
    resolution: Resolution
    groups: list[GroupView]
    others: int


def series_view(found: Series) -> SeriesView:
    """Tell a series."""
    window = found.window
    return SeriesView(
        since=rfc3339(window.since),
        until=rfc3339(window.until),
        resolution=window.resolution,
        step_s=window.width // 1_000_000,
        groups=[
            SeriesGroup(**_group(group), points=[_point(point) for point in group.points])
            for group in found.groups
        ],
        others=found.others,
    )


def totals_view(found: Series) -> TotalsView:
    """Tell the totals of a series."""
    window = found.window
    return TotalsView(
        since=rfc3339(window.since),
        until=rfc3339(window.until),
        resolution=window.resolution,
        groups=[GroupView(**_group(group)) for group in found.groups],
        others=found.others,
    )


def _group(group: Group) -> dict[str, Any]:
    return {
        "engine": group.engine,
        "queue": group.queue,
        "name": group.name,
        "other": group.is_other,
        "ended": group.ended,
        "total": FiguresView(**_figures(group.total)),
    }


def _point(point: Point) -> PointView:
    return PointView(at=rfc3339(point.at), partial=point.is_partial, **_figures(point.figures))


def _figures(figures: Figures) -> dict[str, Any]:
    values = msgspec.structs.asdict(figures)
    wait, run = values.pop("wait"), values.pop("run")
    return {**values, "wait_ms": _durations(wait), "run_ms": _durations(run)}


def _durations(found: Percentiles | None) -> Durations | None:
    if found is None:
        return None
    return Durations(*(micros / 1_000 for micros in (found.p50, found.p95, found.p99)))
