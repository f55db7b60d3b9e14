"""Queues as the API shows them: times as text, durations in milliseconds."""

from __future__ import annotations

from typing import Literal

import msgspec

from z4j_brain.api.times import Timestamp, millis, rfc3339
from z4j_brain.queues.report import QueueReport
from z4j_brain.queues.series import Point


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """One queue.

    `waiting`, `unacked` and `broker_consumers` are what the broker told at `as_of`, null where it
    cannot tell; `stale` says that nobody has asked it since. `sampler` is the worker that asks.
    `oldest_by` says whether `oldest_ms` is the broker's word or the record's. `recorded_*` count
    tasks in the record: queued and due, received, running. Rates are tasks a minute over the last
    five whole minutes; `arrivals_per_min` is null where no publisher tells. `drain_s` is null when
    the queue does not shrink or that cannot be told. `unconsumed`: nobody known takes tasks from
    it. `spark` is the depth in 30 steps of two minutes, null without a sample; empty without any.
    """

    engine: str
    queue: str
    broker: str | None
    transport: str | None
    waiting: int | None
    unacked: int | None
    as_of: Timestamp | None
    stale: bool
    sampler: str | None
    oldest_ms: int | None
    oldest_by: Literal["broker", "record"] | None
    recorded_waiting: int
    recorded_held: int
    recorded_running: int
    consumers: list[str]
    consumer_count: int
    broker_consumers: int | None
    unconsumed: bool
    arrivals_per_min: float | None
    completions_per_min: float
    drain_s: int | None
    spark: list[int | None]


class QueuePoint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One step of a queue's course; `partial` while it lasts. Null is "not sampled"."""

    at: Timestamp
    waiting: int | None
    waiting_max: int | None
    unacked: int | None
    oldest_ms: int | None
    arrivals: int
    started: int
    completions: int
    partial: bool = False


def queue_view(found: QueueReport) -> QueueView:
    """Return a queue as the API shows it."""
    arrivals = found.rates.arrivals
    return QueueView(
        engine=found.engine,
        queue=found.queue,
        broker=found.broker,
        transport=found.transport,
        waiting=found.waiting,
        unacked=found.unacked,
        as_of=rfc3339(found.sampled_at),
        stale=found.is_stale,
        sampler=found.sampler,
        oldest_ms=millis(found.oldest_us),
        oldest_by=found.oldest_by,
        recorded_waiting=found.recorded_waiting,
        recorded_held=found.recorded_held,
        recorded_running=found.recorded_running,
        consumers=found.consumers,
        consumer_count=found.consumer_count,
        broker_consumers=found.broker_consumers,
        unconsumed=found.is_unconsumed,
        arrivals_per_min=None if arrivals is None else round(arrivals, 1),
        completions_per_min=round(found.rates.completions, 1),
        drain_s=None if found.drain_s is None else round(found.drain_s),
        spark=found.spark,
    )


def queue_point(point: Point) -> QueuePoint:
    """Return a point as the API shows it."""
    return QueuePoint(
        at=rfc3339(point.at),
        waiting=point.waiting,
        waiting_max=point.waiting_max,
        unacked=point.unacked,
        oldest_ms=millis(point.oldest_us),
        arrivals=point.arrivals,
        started=point.started,
        completions=point.completions,
        partial=point.is_partial,
    )
