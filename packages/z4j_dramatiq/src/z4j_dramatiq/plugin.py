"""The plugin's hooks; found by the entry point ``dramatiq`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Engine, PluginSettings, hook


@hook
def z4j_engine(settings: PluginSettings) -> Engine | None:
    """Return the engine if this process has imported Dramatiq."""
    if "dramatiq" not in sys.modules:
        return None
    from z4j_dramatiq.engine import DramatiqEngine

    return DramatiqEngine()
