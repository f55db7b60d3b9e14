"""Import this module to report the messages of this process to z4j.

Nothing happens, and neither Dramatiq nor the agent's runtime is imported, unless `Z4J_URL` is set.
It may stand before or after the creation of the broker; a broker that was made before and is not
the global one needs `z4j_dramatiq.install`.
"""

from __future__ import annotations

import z4j_agent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_dramatiq.engine import DramatiqEngine


def engine() -> DramatiqEngine | None:
    """Return the engine of this process, registered and attached; None if it is disabled."""
    import dramatiq  # noqa: F401 - the plugin's hook looks whether Dramatiq is in use

    z4j_agent.register()  # also if somebody registered before Dramatiq was imported
    plugins = z4j_agent.get_agent().plugins
    engines = () if plugins is None else plugins.engines
    return next((one for one in engines if one.name == "dramatiq"), None)  # type: ignore[return-value]


if z4j_agent.is_wanted():
    engine()
