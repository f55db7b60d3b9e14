"""The plugin's hook; found by the entry point ``taskiq`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the plugin if this process has imported TaskIQ."""
    if "taskiq" not in sys.modules:
        return None
    from z4j_taskiq.scheduler import TaskiqSchedules

    return TaskiqSchedules()
