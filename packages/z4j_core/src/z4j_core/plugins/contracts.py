"""What a plugin is given, and what it may call; the class of a web framework's plugin.

A plugin's module is found by an entry point of the group ``z4j`` and imports nothing of its engine
at import time; it does so inside its hook (`z4j_core.plugins.hooks`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

import msgspec

from z4j_core.events import TaskEvent
from z4j_core.frames import TaskRef


class PluginSettings(msgspec.Struct, frozen=True):
    """What a hook is given: the environment as the agent read it, once."""

    environment: Mapping[str, str] = {}


class Host(Protocol):
    """What the agent offers to a plugin. Every method is callable from any thread."""

    def emit(self, event: TaskEvent) -> None:
        """Record one fact. Never blocks, never raises; drops are counted and reported."""

    def defer(self, tell: Callable[..., object], *facts: Any) -> None:
        """Call `tell(*facts)` within 0.05 s on some thread of this process, many in a row.

        For facts of every task, of which the telling costs the host less in a row. They are told in
        the order in which they were deferred, before `stop` returns; what waits is lost with a
        process that is killed. Never blocks, never raises.
        """

    def catch_up(self) -> None:
        """Tell now what was deferred: before something that rests on it, or that must not wait."""

    def ensure_started(self, role: str, worker_name: str | None = None) -> None:
        """Connect this process if it is not connected yet: idempotent, and safe after a fork.

        `role` is ``worker``, ``publisher``, ``web`` or ``scheduler``; `worker_name` is the
        engine's own name for this process, if it has one.
        """

    def open_relay(self) -> None:
        """Make processes that are forked from now on hand their events to this one."""

    def stop(self, timeout_s: float = 0.8) -> None:
        """Send what is left within `timeout_s` seconds, then disconnect."""

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        """Open what was sealed with the task: the bytes that `TaskEvent.data["original"]` gave.

        None if nothing was. Raise `ActionError`, which says what to do, if it does not open: it was
        changed, it is another task's, or this process lacks the key.
        """


class Framework:
    """A web framework in this process; it says when a process serves and how to name it."""

    name: ClassVar[str]

    def attach(self, host: Host) -> None:
        """Register with the framework; must not start anything at import time."""
        raise NotImplementedError(f"{type(self).__name__} must implement attach()")

    def detach(self) -> None:
        """Undo everything that `attach` did."""
        raise NotImplementedError(f"{type(self).__name__} must implement detach()")
