"""The consumer bootstep that puts capture in place at every (re)connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import bootsteps


def observing_step(observe: Callable[[Any], None]) -> type:
    """Return a bootstep that calls `observe` with the consumer whenever it (re)starts."""

    class ObservingStep(bootsteps.StartStopStep):  # type: ignore[misc]
        """Observes the consumer's tasks."""

        name = "z4j"
        requires = ("celery.worker.consumer.events:Events",)

        def start(self, consumer: Any) -> None:
            observe(consumer)

    return ObservingStep
