"""The hook of celery beat; found by the entry point ``celery-beat`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process has imported Celery."""
    if "celery" not in sys.modules:
        return None
    from z4j_celery.schedulers.static import CeleryBeat

    return CeleryBeat()
