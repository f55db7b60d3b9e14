"""Import this module to report the jobs of this process to z4j.

Nothing happens, and nothing is imported, unless `Z4J_URL` is set.
"""

from __future__ import annotations

import os


def _register() -> None:
    import rq  # noqa: F401 - the plugin's hook looks whether RQ is in use

    import z4j_agent

    z4j_agent.register()
    agent = z4j_agent.get_agent()
    plugins = agent.plugins
    if plugins is None or "rq" not in plugins.names:
        return
    if not any(engine.name == "rq" for engine in plugins.engines):
        # Somebody registered before RQ was imported.
        agent.unregister()
        agent.register()


if os.environ.get("Z4J_URL", "").strip():
    _register()
