"""APScheduler's plugin; which jobs there are makes no difference to what can be done."""

from __future__ import annotations

from offers import Asked

from z4j_apscheduler.scheduler import APScheduler


def scheduler() -> Asked:
    """Return the plugin."""
    yield "everywhere", APScheduler()
