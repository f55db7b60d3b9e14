"""The z4j agent: the runtime inside worker and web processes.

    import z4j_agent

    z4j_agent.start()      # at the start of a process; nothing happens unless Z4J_URL is set

Importing this package imports nothing else; with `Z4J_URL` unset, calling it does neither.
Every function is callable from any thread and in forked children.
"""

from __future__ import annotations

TYPE_CHECKING = False  # known to type checkers by its name; importing typing would take 5 ms
if TYPE_CHECKING:
    from collections.abc import Mapping

    from z4j_agent.runtime import Agent
    from z4j_core.events import TaskEvent

__version__ = "0.1.0"
__all__ = [
    "configure", "emit", "environment", "get_agent", "is_wanted", "register", "start", "stay_off",
    "stop",
]  # fmt: skip

_agent: Agent | None = None
_configured: dict[str, str] = {}
_stays_off = False


def configure(settings: Mapping[str, object]) -> None:
    """Take the settings ``Z4J_…`` out of the host's own configuration; the environment wins.

    True and False mean on and off, a list of names means the names; None and other names are left
    alone. To be called before the first start: an agent that has what it needs keeps it.
    """
    global _agent
    for name, value in settings.items():
        if name.startswith("Z4J_") and value is not None:
            _configured[name] = _text(value)
    if _agent is not None and not _agent.settings.is_active:
        _agent = None


def environment() -> dict[str, str]:
    """Return what the agent's settings are read from, secrets included."""
    import os

    return {**_configured, **os.environ}


def is_wanted() -> bool:
    """Tell whether `Z4J_URL` is set, here or in the host's configuration."""
    return not _stays_off and (_agent is not None or bool(environment().get("Z4J_URL", "").strip()))


def stay_off() -> None:
    """Report nothing from this process, whatever asks for it later: it neither serves nor works."""
    global _agent, _stays_off
    _stays_off = True
    if _agent is not None:
        _agent.stop(0.0)
        _agent.unregister()
        _agent = None


def get_agent() -> Agent:
    """Return the agent of this program; made, and its settings read, at the first call."""
    global _agent
    if _agent is None:
        from z4j_agent.runtime import Agent
        from z4j_agent.settings import Settings

        _agent = Agent(Settings.from_environment(environment()))
    return _agent


def register() -> None:
    """Find the plugins and attach them, without starting anything.

    Idempotent: a later call attaches what has come into use since. Does nothing when `Z4J_URL` is
    unset.
    """
    if is_wanted():
        get_agent().register()


def start(role: str = "worker", worker_name: str | None = None) -> None:
    """Attach the plugins and connect this process, unless that is done already.

    `role` is ``worker``, ``publisher``, ``web`` or ``scheduler``; `worker_name` is the name that
    people know this process by, unique among the processes that run at the same time. Returns at
    once: the connection is made by a daemon thread. Does nothing when `Z4J_URL` is unset.
    """
    if is_wanted():
        get_agent().start(role, worker_name)


def stop(timeout_s: float = 0.8) -> None:
    """Send what is left, for at most about `timeout_s` seconds, and disconnect. Idempotent."""
    if _agent is not None:
        _agent.stop(timeout_s)


def emit(event: TaskEvent) -> None:
    """Record one fact. Never blocks, never raises."""
    if _agent is not None:
        _agent.emit(event)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(str(one) for one in value)
    return str(value)
