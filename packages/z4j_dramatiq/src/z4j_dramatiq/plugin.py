"""The plugin's hooks; found by the entry point ``dramatiq`` of the group ``z4j``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from z4j_core.plugins import Engine, PluginSettings, Scheduler, hook


@hook
def z4j_engine(settings: PluginSettings) -> Engine | None:
    """Return the engine if this process has imported Dramatiq."""
    if "dramatiq" not in sys.modules:
        return None
    from z4j_dramatiq.engine import DramatiqEngine

    return DramatiqEngine()


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return Periodiq's schedules if it is installed: the code may import it later."""
    if "dramatiq" not in sys.modules or find_spec("periodiq") is None:
        return None
    from z4j_dramatiq.periodic import PeriodiqScheduler

    return PeriodiqScheduler()
