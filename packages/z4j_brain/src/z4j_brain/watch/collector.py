"""Turns what the parts of a server count anyway into Prometheus' families of metrics.

Labels hold words of ours only, never a name or an id that comes from outside, so the number of
series does not grow; the queues' are the exception, and bounded. `docs/monitoring.md` shows the
same list; a test compares the two.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from sqlalchemy import QueuePool

from z4j_brain import __version__
from z4j_brain.histogram import Histogram
from z4j_brain.redaction.cleaner import COUNTS
from z4j_brain.watch.readiness import Check
from z4j_brain.watch.reconciliation import reconciliation

if TYPE_CHECKING:
    from z4j_brain.brain import Brain
    from z4j_brain.store.database import Database
    from z4j_brain.store.figures import Figures
    from z4j_brain.watch.requests import RequestTimes


class Seen:
    """What one scrape has asked the database before the collector runs."""

    def __init__(self, troubles: Iterable[Check], figures: Figures | None) -> None:
        self.troubles = frozenset(troubles)
        self.figures = figures


class BrainCollector:
    """Reads a brain's counters. `seen` is set before each collection, on the event loop."""

    def __init__(self, brain: Brain, requests: RequestTimes) -> None:
        self.seen = Seen((), None)
        self._brain = brain
        self._requests = requests

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before the first scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return every family."""
        yield from _build(self._brain)
        yield _ready(self.seen.troubles)
        yield from _ingest(self._brain)
        yield from _links(self._brain)
        yield from _pool(self._brain.database)
        yield from reconciliation(self._brain.reconciler.counters)
        yield _redactions()
        yield _requests(self._requests)
        if self.seen.figures is not None:
            yield from _record(self.seen.figures)


def _build(brain: Brain) -> Iterator[Metric]:
    info = InfoMetricFamily("z4j_build", "Versions of the server and what it runs on.")
    database = "postgresql" if brain.database.is_postgres else "sqlite"
    python = platform.python_version()
    info.add_metric((), {"version": __version__, "python": python, "database": database})
    yield info


def _ready(troubles: frozenset[Check]) -> Metric:
    family = GaugeMetricFamily(
        "z4j_ready", "Whether a check of /readyz passes: 1 or 0.", labels=["check"]
    )
    unknown = {Check.MIGRATIONS} if Check.DATABASE in troubles else set()
    for check in Check:
        family.add_metric([check.value], check not in troubles | unknown)
    return family


def _ingest(brain: Brain) -> Iterator[Metric]:
    counters, writer = brain.writer.counters, brain.writer
    for name, what, value in (
        ("transactions", "Transactions that stored frames of agents.", counters.transactions),
        ("frames", "Frames of agents that were stored.", counters.frames),
        ("events", "Events that were stored.", counters.events),
        ("rejected_events", "Events that could not be stored, kept apart.", counters.rejected),
        ("repeated_frames", "Frames dropped as stored already.", counters.repeated_frames),
        ("failures", "Attempts to store that failed and are repeated.", counters.failures),
    ):
        yield CounterMetricFamily(f"z4j_ingest_{name}_total", what, value)
    yield _gauge(
        "ingest_backlog_entries", "Events and frames that wait to be stored.", writer.backlog
    )
    yield _gauge(
        "ingest_oldest_wait_seconds",
        "How long the oldest unstored frame has waited.",
        writer.oldest_wait_s,
    )
    yield _gauge(
        "ingest_failing", "Whether the last attempt to store failed: 1 or 0.", writer.is_failing
    )
    family = HistogramMetricFamily(
        "z4j_ingest_transaction_seconds", "Time to prepare and commit one transaction.", labels=[]
    )
    _add(family, (), counters.durations)
    yield family


def _redactions() -> Metric:
    family = CounterMetricFamily(
        "z4j_redactions", "What was taken out before it was stored.", labels=["rule"]
    )
    for rule, count in COUNTS.snapshot().items():
        family.add_metric([rule], count)
    return family


def _links(brain: Brain) -> Iterator[Metric]:
    admitted, proven = len(brain.registry.sessions()), len(brain.registry.online())
    links = GaugeMetricFamily("z4j_links", "Links of agents to this process.", labels=["state"])
    links.add_metric(["proven"], proven)
    links.add_metric(["greeting"], max(admitted - proven, 0))
    yield links
    readers, projects = brain.hub.size
    yield _gauge("live_readers", "Dashboards that follow a live feed of this process.", readers)
    yield _gauge("live_projects", "Projects whose live feed is read.", projects)


def _pool(database: Database) -> Iterator[Metric]:
    pool = database.engine.pool
    if not isinstance(pool, QueuePool):
        return
    family = GaugeMetricFamily(
        "z4j_database_connections", "Open connections of the pool.", labels=["state"]
    )
    family.add_metric(["in_use"], pool.checkedout())
    family.add_metric(["idle"], pool.checkedin())
    yield family
    yield _gauge("database_pool_size", "Connections that the pool keeps.", pool.size())


def _requests(times: RequestTimes) -> Metric:
    family = HistogramMetricFamily(
        "z4j_http_request_seconds", "Time to answer a request.", labels=["area", "status"]
    )
    for key, histogram in times.histograms.items():
        _add(family, key, histogram)
    return family


def _record(figures: Figures) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "z4j_commands", "Commands in the record, counted up to 10000 a state.", labels=["state"]
    )
    for state, number in figures.commands.items():
        family.add_metric([state], number)
    yield family
    yield _gauge(
        "workers_online", "Workers that hold a link, in the record.", figures.workers_online
    )
    yield _gauge(
        "agent_outbox_events",
        "Events that wait in the agents, as they told last.",
        figures.outbox_events,
    )
    yield _gauge(
        "agent_lag_seconds",
        "Age of the oldest event that an online worker has not delivered.",
        figures.lag_us / 1e6,
    )
    yield _gauge(
        "agent_clock_offset_seconds",
        "The most by which the clock of an online worker is off, ahead or behind.",
        figures.clock_offset_us / 1e6,
    )
    yield from _queues(figures)


def _queues(figures: Figures) -> Iterator[Metric]:
    labels = ["project", "engine", "queue"]
    depth = GaugeMetricFamily(
        "z4j_queue_depth", "Messages that wait in a queue, as its broker told last.", labels=labels
    )
    oldest = GaugeMetricFamily(
        "z4j_queue_oldest_seconds",
        "Age of the oldest message that waits in a queue, where its broker tells.",
        labels=labels,
    )
    for one in figures.queues:
        key = [one.project, one.engine, one.queue]
        depth.add_metric(key, one.waiting)
        if one.oldest_us is not None:
            oldest.add_metric(key, one.oldest_us / 1e6)
    yield depth
    yield oldest


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"z4j_{name}", what, value)


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], values: Histogram) -> None:
    buckets = [
        ("+Inf" if bound == inf else str(bound), float(count))
        for bound, count in values.cumulative()
    ]
    family.add_metric(labels, buckets, values.total)
