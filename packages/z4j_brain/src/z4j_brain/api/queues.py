"""`/projects/{project}/queues`: what waits, and the course of one queue."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.queue_views import QueuePoint, QueueView, queue_point, queue_view
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.queues.report import MAX_QUEUES, QueueReport, report
from z4j_brain.queues.series import STEPS, Point, Window, series


class QueueList(msgspec.Struct, frozen=True):
    """Every queue, those with the most waiting first; `truncated` when there are more.

    `sample_s` is how often a depth is asked for; 0 is never.
    """

    items: list[QueueView]
    truncated: bool
    generated_at: Timestamp
    sample_s: int


class QueueQuery(msgspec.Struct, frozen=True):
    """`broker` tells queues of one name apart; without it the deepest of them is read."""

    broker: Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?$")] = ""
    window: Literal["1h", "6h", "24h", "7d"] = "1h"


class QueueDetail(msgspec.Struct, frozen=True):
    """One queue and its course; a step without a sample has no depth, which is not 0."""

    queue: QueueView
    window: str
    step_s: int
    points: list[QueuePoint]
    generated_at: Timestamp
    sample_s: int


@route("GET", "/projects/{project}/queues", permission="project.read")
async def read_queues(call: ProjectCall) -> QueueList:
    """List queues with depth, oldest age, flow and consumers."""
    at, every_s = now(), call.brain.settings.queue_sample_s
    found = await call.brain.database.run(report, call.project.id, at, every_s)
    return QueueList(
        items=[queue_view(one) for one in found],
        truncated=len(found) == MAX_QUEUES,
        generated_at=rfc3339(at),
        sample_s=every_s,
    )


@route("GET", "/projects/{project}/queues/{engine}/{queue}", permission="project.read")
async def read_queue(call: ProjectCall, engine: str, queue: str, query: QueueQuery) -> QueueDetail:
    """Read one queue and its depth, arrivals and completions over a window."""
    at, every_s = now(), call.brain.settings.queue_sample_s
    window = Window(query.window)
    read = await call.brain.database.run(
        _read_one, call, engine, queue, query.broker or None, window, at
    )
    if read is None:
        raise problems.not_found("queue")
    found, points = read
    return QueueDetail(
        queue=queue_view(found),
        window=window.value,
        step_s=STEPS[window] * 60,
        points=[queue_point(point) for point in points],
        generated_at=rfc3339(at),
        sample_s=every_s,
    )


def _read_one(
    connection: Connection,
    call: ProjectCall,
    engine: str,
    queue: str,
    broker: str | None,
    window: Window,
    at: int,
) -> tuple[QueueReport, list[Point]] | None:
    found = [
        one
        for one in report(connection, call.project.id, at, call.brain.settings.queue_sample_s)
        if (one.engine, one.queue) == (engine, queue) and broker in (None, one.broker)
    ]
    if not found:
        return None
    one = found[0]
    points = series(connection, call.project.id, engine, one.broker, queue, window, at)
    return one, points
