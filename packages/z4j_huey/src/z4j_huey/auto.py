"""Import this module to tell z4j the periodic tasks of the consumer that this process becomes.

Nothing happens, and neither Huey nor the agent's runtime is imported, unless `Z4J_URL` is set.
"""

from __future__ import annotations

import z4j_agent


def _register() -> None:
    import huey.consumer  # noqa: F401 - the plugin's hook looks whether Huey is in use

    z4j_agent.register()  # also if somebody registered before Huey was imported


if z4j_agent.is_wanted():
    _register()
