"""The page that Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)

from z4j_brain.clock import now
from z4j_brain.queues.report import stale_after_us
from z4j_brain.store import figures
from z4j_brain.watch.collector import BrainCollector, Seen
from z4j_brain.watch.probe import Probe
from z4j_brain.watch.readiness import Check

if TYPE_CHECKING:
    from z4j_brain.brain import Brain
    from z4j_brain.watch.readiness import Readiness
    from z4j_brain.watch.requests import RequestTimes

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_PATIENCE_S = 3.0
"""For each of two questions; Prometheus itself waits for 10 s."""
_WITHOUT_FIGURES = {Check.DATABASE, Check.MIGRATIONS}


class Metrics:
    """One registry for one brain; nothing is global. For one event loop."""

    def __init__(self, brain: Brain, readiness: Readiness, requests: RequestTimes) -> None:
        self._readiness = readiness
        stale_us = stale_after_us(brain.settings.queue_sample_s)
        self._figures = Probe(
            brain.database, lambda connection: figures.read(connection, now() - stale_us)
        )
        self._collector = BrainCollector(brain, requests)
        self._registry = CollectorRegistry()
        self._registry.register(self._collector)
        ProcessCollector(namespace="z4j", registry=self._registry)

    async def text(self) -> bytes:
        """Return the metrics in Prometheus' text format 0.0.4.

        While the database is away, what is read from it is missing.
        """
        troubles = await self._readiness.troubles(_PATIENCE_S)
        is_there = not troubles.keys() & _WITHOUT_FIGURES
        read = await self._figures.ask(_PATIENCE_S) if is_there else None
        self._collector.seen = Seen(troubles, read)
        return generate_latest(self._registry)
