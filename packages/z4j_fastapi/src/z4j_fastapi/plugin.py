"""The plugin's hook; found by the entry point ``fastapi`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Framework, PluginSettings, hook


@hook
def z4j_framework(settings: PluginSettings) -> Framework | None:
    """Return the framework if this process has an application with a lifespan of ours."""
    if "z4j_fastapi.lifespan" not in sys.modules:
        return None
    from z4j_fastapi.framework import FastAPIFramework, StarletteFramework

    return FastAPIFramework() if "fastapi" in sys.modules else StarletteFramework()
