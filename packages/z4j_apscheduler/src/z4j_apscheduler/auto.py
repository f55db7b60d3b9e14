"""Import this module to tell z4j the jobs of the APSchedulers that this process starts.

Nothing happens, and neither APScheduler nor the agent's runtime is imported, unless `Z4J_URL` is
set. It has to stand before the scheduler is started; for one that runs already there is
`z4j_apscheduler.install`.
"""

from __future__ import annotations

import z4j_agent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_apscheduler.scheduler import APScheduler


def plugin() -> APScheduler | None:
    """Return the plugin of this process, registered and attached; None if it is disabled."""
    import apscheduler.schedulers.base  # noqa: F401 - the hook looks whether it is in use

    z4j_agent.register()  # also if somebody registered before APScheduler was imported
    plugins = z4j_agent.get_agent().plugins
    schedulers = () if plugins is None else plugins.schedulers
    return next((one for one in schedulers if one.name == "apscheduler"), None)  # type: ignore[return-value]


if z4j_agent.is_wanted():
    plugin()
