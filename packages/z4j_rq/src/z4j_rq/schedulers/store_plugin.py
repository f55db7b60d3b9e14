"""The hook of rq-scheduler; found by the entry point ``rq-scheduler`` of the group ``z4j``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process uses RQ and rq-scheduler is installed beside it."""
    if "rq" not in sys.modules or find_spec("rq_scheduler") is None:
        return None
    from z4j_rq.schedulers.store import RqScheduler

    return RqScheduler()
