"""Import this module to tell z4j the cron jobs of the arq worker that this process becomes.

Nothing happens, and neither arq nor the agent's runtime is imported, unless `Z4J_URL` is set.
"""

from __future__ import annotations

import z4j_agent


def _register() -> None:
    import arq.worker  # noqa: F401 - the plugin's hook looks whether arq is in use

    z4j_agent.register()  # also if somebody registered before arq was imported


if z4j_agent.is_wanted():
    _register()
