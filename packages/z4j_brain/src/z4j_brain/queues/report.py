"""Every queue of a project: depth as its broker told it, the rest as the record knows it."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import overview, queue_flow, queue_samples
from z4j_brain.store.overview import OpenCount
from z4j_brain.store.queue_flow import Flow, Waiting
from z4j_brain.store.queue_samples import MINUTE_US, MinuteSample, QueueRecord

FLOW_MINUTES = 5
"""Flow is the mean of so many whole minutes."""
SPARKS = 30
SPARK_US = 2 * MINUTE_US
MAX_QUEUES = 1_000
MAX_CONSUMERS = 20

Pair = tuple[str, str]
Key = tuple[str, str, str]


class Rates(msgspec.Struct, frozen=True):
    """Tasks a minute. `arrivals` is None where tasks run of which no publisher tells."""

    arrivals: float | None
    completions: float


class QueueReport(msgspec.Struct, kw_only=True):
    """One queue. Times and durations in microseconds.

    `broker` is None for a queue that only the record knows: no process tells its broker.
    `is_stale` says that `waiting` and its like are of `sampled_at` and not of now. `oldest_us` is
    the age of the oldest waiting task, by the broker or else by the record. `spark` is the depth
    in steps of two minutes, the oldest first; None where nobody sampled.
    """

    engine: str
    queue: str
    broker: str | None = None
    transport: str | None = None
    waiting: int | None = None
    unacked: int | None = None
    broker_consumers: int | None = None
    sampled_at: int | None = None
    is_stale: bool = False
    sampler: str | None = None
    oldest_us: int | None = None
    oldest_by: Literal["broker", "record"] | None = None
    recorded_waiting: int = 0
    recorded_held: int = 0
    recorded_running: int = 0
    consumers: list[str] = []
    consumer_count: int = 0
    rates: Rates
    drain_s: float | None = None
    spark: list[int | None] = []

    @property
    def is_unconsumed(self) -> bool:
        """Whether nobody is known to take tasks from this queue, and its broker is known."""
        return self.broker is not None and not self.consumer_count and not self.broker_consumers


def stale_after_us(every_s: float) -> int:
    """Return from which age on a sample is not of now: three are missing, at least 30 s."""
    return max(30_000_000, int(3 * every_s * 1_000_000))


def report(
    connection: Connection, project_id: uuid.UUID, now: int, every_s: float
) -> list[QueueReport]:
    """Return all queues, those with the most waiting first, at most `MAX_QUEUES`."""
    minute = now // MINUTE_US * MINUTE_US
    known = queue_samples.records(connection, project_id)
    flow = queue_flow.flow(connection, project_id, minute - FLOW_MINUTES * MINUTE_US, minute)
    waiting = queue_flow.waiting(connection, project_id, now)
    counts = overview.open_counts(connection, project_id)
    rates = _rates(flow)
    pairs = dict.fromkeys([*rates, *((one.engine, one.queue) for one in counts)])
    told = {(one.engine, one.queue) for one in known}
    found = [_of_broker(one, rates, now, every_s) for one in known]
    found += [
        QueueReport(engine=engine, queue=queue, rates=rates.get((engine, queue), NO_FLOW))
        for engine, queue in pairs
        if queue and (engine, queue) not in told
    ]
    _add_record(found, waiting, counts, now)
    _add_consumers(found, queue_flow.consumers(connection, project_id))
    first = now // SPARK_US * SPARK_US - (SPARKS - 1) * SPARK_US
    _add_sparks(found, queue_samples.minutes(connection, project_id, first), first)
    for one in found:
        one.drain_s = drain_s(one)
    found.sort(key=lambda one: (-(one.waiting or one.recorded_waiting), one.queue, one.engine))
    return found[:MAX_QUEUES]


NO_FLOW = Rates(arrivals=0.0, completions=0.0)


def drain_s(queue: QueueReport) -> float | None:
    """Return in how many seconds the queue is empty if flow stays as it is; None if it does not
    shrink or that cannot be told. The depth over the surplus of completions.
    """
    rates = queue.rates
    if queue.waiting is None or queue.is_stale or rates.arrivals is None:
        return None
    if queue.waiting == 0:
        return 0.0
    surplus = rates.completions - rates.arrivals
    return queue.waiting / surplus * 60 if surplus > 0 else None


def _of_broker(
    known: QueueRecord, rates: dict[Pair, Rates], now: int, every_s: float
) -> QueueReport:
    is_stale = known.sampled_at is not None and (
        known.sampler is None or now - known.sampled_at > stale_after_us(every_s)
    )
    return QueueReport(
        engine=known.engine,
        queue=known.queue,
        broker=known.broker,
        transport=known.transport,
        waiting=known.waiting,
        unacked=known.unacked,
        broker_consumers=known.consumers,
        sampled_at=known.sampled_at,
        is_stale=is_stale,
        sampler=known.sampler,
        oldest_us=known.oldest_us,
        oldest_by=None if known.oldest_us is None else "broker",
        rates=rates.get((known.engine, known.queue), NO_FLOW),
    )


def _rates(flow: list[Flow]) -> dict[Pair, Rates]:
    sums: dict[Pair, list[int]] = {}
    for one in flow:
        total = sums.setdefault((one.engine, one.queue), [0, 0, 0])
        for index, value in enumerate((one.published, one.started, one.ended)):
            total[index] += value
    return {
        pair: Rates(
            arrivals=None if not published and started else published / FLOW_MINUTES,
            completions=ended / FLOW_MINUTES,
        )
        for pair, (published, started, ended) in sums.items()
    }


def _add_record(
    found: list[QueueReport], waiting: list[Waiting], counts: list[OpenCount], now: int
) -> None:
    by_pair = {(one.engine, one.queue): one for one in waiting}
    states: dict[tuple[str, str, str], int] = {
        (one.engine, one.queue, one.state): one.count for one in counts
    }
    for one in found:
        queued = by_pair.get((one.engine, one.queue))
        one.recorded_held = states.get((one.engine, one.queue, "received"), 0)
        one.recorded_running = states.get((one.engine, one.queue, "running"), 0)
        if queued is None:
            continue
        one.recorded_waiting = queued.count
        # A broker that says "empty" is believed: the record may wait for what was purged.
        if one.oldest_by is None and one.waiting != 0 and queued.since is not None:
            one.oldest_us, one.oldest_by = max(0, now - queued.since), "record"


def _add_consumers(found: list[QueueReport], consumers: list[queue_flow.Consumer]) -> None:
    by_key: dict[Key, list[str]] = {}
    for one in consumers:
        by_key.setdefault((one.engine, one.broker, one.queue), []).append(one.worker)
    for queue in found:
        names = by_key.get((queue.engine, queue.broker or "", queue.queue), [])
        queue.consumers, queue.consumer_count = names[:MAX_CONSUMERS], len(names)


def _add_sparks(found: list[QueueReport], minutes: list[MinuteSample], first: int) -> None:
    by_key: dict[Key, list[int | None]] = {}
    for one in minutes:
        spark = by_key.setdefault((one.engine, one.broker, one.queue), [None] * SPARKS)
        step = (one.bucket - first) // SPARK_US
        if 0 <= step < SPARKS:
            spark[step] = one.waiting  # the later of two minutes wins: they come in order
    for queue in found:
        queue.spark = by_key.get((queue.engine, queue.broker or "", queue.queue), [])
