"""The plugin's hook; found by the entry point ``huey`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the plugin if this process has imported Huey."""
    if "huey.consumer" not in sys.modules:
        return None
    from z4j_huey.scheduler import HueyPeriodic

    return HueyPeriodic()
