"""z4j engine plugin for Dramatiq.

Turn it on with ``import z4j_dramatiq.auto`` where the broker is set, or with `install` for a
broker that is not the global one. Nothing happens unless `Z4J_URL` is set.
"""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; importing typing would take 5 ms
if TYPE_CHECKING:
    from dramatiq import Broker

__version__ = "0.1.0"
__all__ = ["install"]


def install(broker: Broker) -> None:
    """Report what happens to the messages of this broker; again does no harm.

    Needed only for a broker that was made before ``z4j_dramatiq.auto`` was imported and is not the
    global one. Does nothing when `Z4J_URL` is unset.
    """
    import z4j_agent

    if z4j_agent.is_wanted():
        from z4j_dramatiq.auto import engine

        found = engine()
        if found is not None:
            found.install(broker)
