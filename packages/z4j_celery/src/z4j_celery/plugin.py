"""The plugin's hook; found by the entry point ``celery`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Engine, PluginSettings, hook


@hook
def z4j_engine(settings: PluginSettings) -> Engine | None:
    """Return the engine if this process has imported Celery."""
    if "celery" not in sys.modules:
        return None
    from z4j_celery.engine import CeleryEngine

    return CeleryEngine()
