"""The hook of RQ's cron; found by the entry point ``rq-cron`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process uses RQ; whether a cron runs, Redis tells."""
    if "rq" not in sys.modules:
        return None
    from z4j_rq.schedulers.cron import RqCron

    return RqCron()
