"""The plugin's hook; found by the entry point ``django`` of the group ``z4j``."""

from __future__ import annotations

import sys

from z4j_core.plugins import Framework, PluginSettings, hook


@hook
def z4j_framework(settings: PluginSettings) -> Framework | None:
    """Return the framework if Django has loaded the app."""
    if "z4j_django.apps" not in sys.modules:
        return None
    from z4j_django.framework import DjangoFramework

    return DjangoFramework()
