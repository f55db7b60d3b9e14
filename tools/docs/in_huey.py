"""Huey's plugin; which tasks there are makes no difference to what can be done."""

from __future__ import annotations

from offers import Asked

from z4j_huey.scheduler import HueyPeriodic


def periodic() -> Asked:
    """Return the plugin."""
    yield "everywhere", HueyPeriodic()
