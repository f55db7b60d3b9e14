"""Import this module to report the tasks of this process to z4j.

Nothing happens, and neither Celery nor the agent's runtime is imported, unless `Z4J_URL` is set.
Where it stands relative to the creation of the Celery app does not matter.
"""

from __future__ import annotations

import z4j_agent


def _register() -> None:
    import celery  # noqa: F401 - the plugin's hook looks whether Celery is in use

    z4j_agent.register()  # also if somebody registered before Celery was imported


if z4j_agent.is_wanted():
    _register()
