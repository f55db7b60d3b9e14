"""The plugin's hook; found by the entry point ``flask`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Framework, PluginSettings, hook


@hook
def z4j_framework(settings: PluginSettings) -> Framework | None:
    """Return the framework if this process has an application with the extension."""
    if "z4j_flask.extension" not in sys.modules:
        return None
    from z4j_flask.framework import FlaskFramework

    return FlaskFramework()
