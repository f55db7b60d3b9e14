"""The app that is named in `INSTALLED_APPS`."""

from __future__ import annotations

import os
import sys

from django.apps import AppConfig
from django.conf import settings

import z4j_agent
from z4j_django.process import is_development_server, stays_off


class Z4jConfig(AppConfig):
    """Reads the settings and attaches what is installed, in processes that serve or work."""

    name = "z4j_django"
    verbose_name = "z4j"

    def ready(self) -> None:
        """Attach; in the development server connect too. Django calls it in every process."""
        z4j_agent.configure({name: getattr(settings, name) for name in _names()})
        if not z4j_agent.is_wanted():
            return
        if stays_off(sys.argv, sys.modules, os.environ):
            z4j_agent.stay_off()
            return
        z4j_agent.register()
        if is_development_server(sys.argv, os.environ):
            z4j_agent.start("web")


def _names() -> list[str]:
    return [name for name in dir(settings) if name.startswith("Z4J_")]
