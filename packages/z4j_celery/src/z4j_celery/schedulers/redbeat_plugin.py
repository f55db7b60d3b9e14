"""The hook of celery-redbeat; its entry point in the group ``z4j`` has the same name."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from z4j_core.plugins import PluginSettings, Scheduler, hook


@hook
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process has imported Celery and RedBeat is installed.

    The app may not be configured yet: whether it uses RedBeat is asked when z4j connects.
    """
    if "celery" not in sys.modules or find_spec("redbeat") is None:
        return None
    from z4j_celery.schedulers.redis_beat import RedBeat

    return RedBeat()
