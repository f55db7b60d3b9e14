"""The Dramatiq application of `dramatiq_truth`, with a periodic actor."""

from __future__ import annotations

import dramatiq
from dramatiq_truth import broker, tell, work
from periodiq import PeriodiqMiddleware, cron

__all__ = ["work"]
broker.add_middleware(PeriodiqMiddleware())


@dramatiq.actor(periodic=cron("0 3 1 1 *"))
def nightly() -> None:
    """Tells that it ran."""
    tell("started", "nightly", 0)
