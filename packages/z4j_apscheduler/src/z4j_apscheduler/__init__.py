"""z4j scheduler plugin for APScheduler 3.

Turn it on with ``import z4j_apscheduler.auto`` before the scheduler is started, or with `install`
for one that runs already. Nothing happens unless `Z4J_URL` is set.
"""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; importing typing would take 5 ms
if TYPE_CHECKING:
    from apscheduler.schedulers.base import BaseScheduler

__version__ = "0.1.0"
__all__ = ["install"]


def install(scheduler: BaseScheduler) -> None:
    """Tell the jobs of a scheduler that was started before; again does no harm.

    Does nothing when `Z4J_URL` is unset.
    """
    import z4j_agent

    if z4j_agent.is_wanted():
        from z4j_apscheduler.auto import plugin

        found = plugin()
        if found is not None:
            found.add(scheduler)
