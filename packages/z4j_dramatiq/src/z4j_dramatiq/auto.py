"""Import this module to report the messages of this process to z4j.

Nothing happens, and nothing is imported, unless `Z4J_URL` is set. It may stand before or after
the creation of the broker; a broker that was made before and is not the global one needs
`z4j_dramatiq.install`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_dramatiq.engine import DramatiqEngine


def engine() -> DramatiqEngine | None:
    """Return the engine of this process, registered and attached; None if it is disabled."""
    import dramatiq  # noqa: F401 - the plugin's hook looks whether Dramatiq is in use

    import z4j_agent

    z4j_agent.register()
    agent = z4j_agent.get_agent()
    found = _attached(agent)
    plugins = agent.plugins
    if found is None and plugins is not None and "dramatiq" in plugins.names:
        # Somebody registered before Dramatiq was imported.
        agent.unregister()
        agent.register()
        found = _attached(agent)
    return found


def _attached(agent: object) -> DramatiqEngine | None:
    plugins = getattr(agent, "plugins", None)
    engines = () if plugins is None else plugins.engines
    return next((one for one in engines if one.name == "dramatiq"), None)


if os.environ.get("Z4J_URL", "").strip():
    engine()
