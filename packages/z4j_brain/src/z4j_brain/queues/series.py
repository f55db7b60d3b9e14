"""The course of one queue over a window: depth where it was sampled, flow where it was recorded."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import queue_flow, queue_samples
from z4j_brain.store.queue_samples import MINUTE_US


class Window(StrEnum):
    """How far back."""

    HOUR = "1h"
    QUARTER = "6h"
    DAY = "24h"
    WEEK = "7d"


STEPS = {Window.HOUR: 1, Window.QUARTER: 5, Window.DAY: 15, Window.WEEK: 60}
"""Minutes that a point stands for."""
_MINUTES = {Window.HOUR: 60, Window.QUARTER: 360, Window.DAY: 1440, Window.WEEK: 10_080}


class Point(msgspec.Struct, kw_only=True):
    """One step. `waiting` is the last sample and `waiting_max` the greatest; None without any.

    Counts of tasks are 0 where nothing happened. `is_partial` while the step lasts.
    """

    at: int
    waiting: int | None = None
    waiting_max: int | None = None
    unacked: int | None = None
    oldest_us: int | None = None
    arrivals: int = 0
    started: int = 0
    completions: int = 0
    is_partial: bool = False


def series(
    connection: Connection,
    project_id: uuid.UUID,
    engine: str,
    broker: str | None,
    queue: str,
    window: Window,
    now: int,
) -> list[Point]:
    """Return the points of the window, oldest first; every step has one."""
    step = STEPS[window] * MINUTE_US
    last = now // step * step
    first = last - (_MINUTES[window] // STEPS[window] - 1) * step
    points = {at: Point(at=at, is_partial=at == last) for at in range(first, last + step, step)}
    if broker is not None:
        key = (engine, broker, queue)
        for sample in queue_samples.minutes(connection, project_id, first, key):
            point = points.get(sample.bucket // step * step)
            if point is not None:
                _add(point, sample)
    for flow in queue_flow.flow(connection, project_id, first, last + step, (engine, queue)):
        point = points[flow.bucket // step * step]
        point.arrivals += flow.published
        point.started += flow.started
        point.completions += flow.ended
    return list(points.values())


def _add(point: Point, sample: queue_samples.MinuteSample) -> None:
    """Minutes come in order, so the last one wins."""
    point.waiting, point.unacked = sample.waiting, sample.unacked
    point.waiting_max = _greatest(point.waiting_max, sample.waiting_max)
    point.oldest_us = _greatest(point.oldest_us, sample.oldest_us)


def _greatest(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
