"""What a series is made of."""

from __future__ import annotations

import msgspec

from z4j_brain.sketch import Sketch
from z4j_brain.store.schema import COUNTS
from z4j_brain.store.summaries import Summary

PERCENTS = (50, 95, 99)


class Percentiles(msgspec.Struct, frozen=True, gc=False):
    """Durations in microseconds: within 1 % of the true ones."""

    p50: int
    p95: int
    p99: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of events; how long the tasks that ended waited and ran, None where none is known."""

    published: int
    started: int
    succeeded: int
    failed: int
    retried: int
    cancelled: int
    rejected: int
    wait: Percentiles | None
    run: Percentiles | None


class Point(msgspec.Struct, frozen=True):
    """One bucket; `is_partial` while it lasts or is not summarised yet."""

    at: int
    is_partial: bool
    figures: Figures


class Group(msgspec.Struct, frozen=True):
    """The figures of one queue or task name, of all, or of all other groups together.

    `ended` counts succeeded, failed, cancelled and rejected.
    """

    engine: str | None
    queue: str | None
    name: str | None
    is_other: bool
    ended: int
    total: Figures
    points: list[Point]


def figures_of(summary: Summary) -> Figures:
    """Return what a summary says."""
    return Figures(
        **dict(zip(COUNTS, summary.counts, strict=True)),
        wait=percentiles_of(summary.wait),
        run=percentiles_of(summary.run),
    )


def percentiles_of(sketch: Sketch) -> Percentiles | None:
    """Return what a sketch says; None when it is empty."""
    found = sketch.percentiles(PERCENTS)
    return None if found is None else Percentiles(*found)
