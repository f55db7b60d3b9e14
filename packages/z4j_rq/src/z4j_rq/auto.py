"""Import this module to report the jobs of this process to z4j.

Nothing happens, and neither RQ nor the agent's runtime is imported, unless `Z4J_URL` is set.
"""

from __future__ import annotations

import z4j_agent


def _register() -> None:
    import rq  # noqa: F401 - the plugin's hook looks whether RQ is in use

    z4j_agent.register()  # also if somebody registered before RQ was imported


if z4j_agent.is_wanted():
    _register()
