"""The hook of django-celery-beat; its entry point in the group ``z4j`` has the same name."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process has imported Celery and the library is installed.

    Django may not be set up yet: whether the project has the app is asked when z4j connects.
    """
    if "celery" not in sys.modules or find_spec("django_celery_beat") is None:
        return None
    from z4j_celery.schedulers.django_beat import DjangoCeleryBeat

    return DjangoCeleryBeat()
