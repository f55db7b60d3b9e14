"""Import this module to tell z4j the jobs of the APSchedulers that this process starts.

Nothing happens, and nothing is imported, unless `Z4J_URL` is set. It has to stand before the
scheduler is started; for one that runs already there is `z4j_apscheduler.install`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_apscheduler.scheduler import APScheduler


def plugin() -> APScheduler | None:
    """Return the plugin of this process, registered and attached; None if it is disabled."""
    import apscheduler.schedulers.base  # noqa: F401 - the hook looks whether it is in use

    import z4j_agent

    z4j_agent.register()
    agent = z4j_agent.get_agent()
    found = _attached(agent)
    plugins = agent.plugins
    if found is None and plugins is not None and "apscheduler" in plugins.names:
        # Somebody registered before APScheduler was imported.
        agent.unregister()
        agent.register()
        found = _attached(agent)
    return found


def _attached(agent: object) -> APScheduler | None:
    plugins = getattr(agent, "plugins", None)
    schedulers = () if plugins is None else plugins.schedulers
    return next((one for one in schedulers if one.name == "apscheduler"), None)


if os.environ.get("Z4J_URL", "").strip():
    plugin()
