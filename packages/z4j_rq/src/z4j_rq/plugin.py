"""The plugin's hook; found by the entry point ``rq`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Engine, PluginSettings, hook


@hook
def z4j_engine(settings: PluginSettings) -> Engine | None:
    """Return the engine if this process has imported RQ."""
    if "rq" not in sys.modules:
        return None
    from z4j_rq.engine import RqEngine

    return RqEngine()
