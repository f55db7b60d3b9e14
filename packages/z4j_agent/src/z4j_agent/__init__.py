"""The z4j agent: the runtime inside worker and web processes.

    import z4j_agent

    z4j_agent.start()      # at the start of a process; nothing happens unless Z4J_URL is set

Importing this package imports nothing else; with `Z4J_URL` unset, calling it does neither.
Every function is callable from any thread and in forked children.
"""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; importing typing would take 5 ms
if TYPE_CHECKING:
    from z4j_agent.runtime import Agent
    from z4j_core.events import TaskEvent

__version__ = "0.1.0"
__all__ = ["emit", "get_agent", "register", "start", "stop"]

_agent: Agent | None = None


def get_agent() -> Agent:
    """Return the agent of this program; made, and its settings read, at the first call."""
    global _agent
    if _agent is None:
        from z4j_agent.runtime import Agent
        from z4j_agent.settings import Settings

        _agent = Agent(Settings.from_environment())
    return _agent


def register() -> None:
    """Find the plugins and attach them, without starting anything.

    Idempotent. Does nothing when `Z4J_URL` is unset.
    """
    if _is_wanted():
        get_agent().register()


def start(role: str = "worker", worker_name: str | None = None) -> None:
    """Attach the plugins and connect this process, unless that is done already.

    `role` is ``worker``, ``publisher``, ``web`` or ``scheduler``; `worker_name` is the name that
    people know this process by, unique among the processes that run at the same time. Returns at
    once: the connection is made by a daemon thread. Does nothing when `Z4J_URL` is unset.
    """
    if _is_wanted():
        get_agent().start(role, worker_name)


def stop(timeout_s: float = 2.0) -> None:
    """Send what is left, for at most about `timeout_s` seconds, and disconnect. Idempotent."""
    if _agent is not None:
        _agent.stop(timeout_s)


def emit(event: TaskEvent) -> None:
    """Record one fact. Never blocks, never raises."""
    if _agent is not None:
        _agent.emit(event)


def _is_wanted() -> bool:
    import os

    return _agent is not None or bool(os.environ.get("Z4J_URL", "").strip())
