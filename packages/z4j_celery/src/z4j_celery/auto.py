"""Import this module to report the tasks of this process to z4j.

Nothing happens, and nothing is imported, unless `Z4J_URL` is set. Where it stands relative to
the creation of the Celery app does not matter.
"""

from __future__ import annotations

import os


def _register() -> None:
    import celery  # noqa: F401 - the plugin's hook looks whether Celery is in use

    import z4j_agent

    z4j_agent.register()
    agent = z4j_agent.get_agent()
    plugins = agent.plugins
    if plugins is None or "celery" not in plugins.names:
        return
    if not any(engine.name == "celery" for engine in plugins.engines):
        # Somebody registered before Celery was imported.
        agent.unregister()
        agent.register()


if os.environ.get("Z4J_URL", "").strip():
    _register()
