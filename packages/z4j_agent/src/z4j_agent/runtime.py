"""The agent: one object per program, safe from any thread and across forks."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import weakref
from collections.abc import Callable, Iterable
from threading import RLock
from typing import TYPE_CHECKING, Any

import msgspec

from z4j_agent.incarnation import Incarnation
from z4j_agent.plugin_set import PluginSet
from z4j_agent.settings import Settings
from z4j_core.events import TaskEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import EntryPoint
from z4j_core.to_wire import to_wire

if TYPE_CHECKING:
    from z4j_agent.spool.place import Place

_log = logging.getLogger("z4j.agent")
_encode = msgspec.msgpack.Encoder().encode

EXIT_TIMEOUT_S = 0.8
"""Seconds; with what it takes to close and to end by itself, a process is gone within two."""

RETIRE_TIMEOUT_S = 10.0
ROLE_RANK = {"publisher": 0, "web": 1, "scheduler": 2, "worker": 3}
NOT_ENCODABLE = "the event could not be encoded"
FILTER_FAILED = "a plugin's z4j_event failed"


class Agent:
    """Implements `z4j_core.plugins.Host`. Does nothing at all unless the settings are complete.

    The process may be forked at any time and by anyone: every method first looks whether it still
    runs in the process that its state belongs to.
    """

    def __init__(self, settings: Settings, points: Iterable[EntryPoint] | None = None) -> None:
        self.settings = settings
        self._is_active = settings.is_active
        self._points = points
        self._plugins: PluginSet | None = None
        self._locks: dict[int, RLock] = {}
        self._life = Incarnation(settings.outbox_bytes)
        self._graveyard: list[Incarnation] = []
        self._complaints: set[str] = set()
        self._has_exit_handler = False
        _agents.append(weakref.ref(self))
        self._report_settings()

    @property
    def plugins(self) -> PluginSet | None:
        """The plugins, once `register` has found them."""
        return self._plugins

    def register(self) -> None:
        """Find the plugins and attach them; idempotent, starts nothing, never raises.

        A later call finds what has come into use since; a link that is open is renewed, so that
        the server hears of it.
        """
        if not self._is_active:
            return
        try:
            with self._lock():
                self._attach()
        except Exception as error:
            self._complain("The z4j agent cannot attach its plugins", error)

    def unregister(self) -> None:
        """Detach the plugins and forget them, once what they deferred is told."""
        self.catch_up()  # without the lock, as telling may need it
        with self._lock():
            plugins, self._plugins = self._plugins, None
            if plugins is not None:
                plugins.detach()

    def start(self, role: str = "worker", worker_name: str | None = None) -> None:
        """Attach the plugins and connect this process, unless that is done already."""
        self.ensure_started(role, worker_name)

    def ensure_started(self, role: str, worker_name: str | None = None) -> None:
        """Connect this process if it is not connected yet. Never raises.

        A process that connected as something less (a publisher) and turns out to be more (a
        worker) connects anew under its new name.
        """
        if not self._is_active:
            return
        try:
            self.register()
            with self._lock():
                self._start(self._current(), role, worker_name)
        except Exception as error:
            self._complain("The z4j agent cannot start", error)

    def open_relay(self) -> None:
        """Make processes that are forked from now on hand their events to this one."""
        if not self._is_active:
            return
        try:
            with self._lock():
                self._current().open_relay()
        except OSError as error:
            self._complain("Forked processes cannot hand over their events", error)

    def stop(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Send what is left within about `timeout_s` seconds and disconnect. Idempotent.

        The plugins stay attached, and events are ignored until the next start.
        """
        if not self._is_active:
            return
        try:
            life = self._current()
            if life.writer is None:
                life.stop(timeout_s)
        except Exception as error:
            self._complain("The z4j agent cannot stop cleanly", error)

    def emit(self, event: TaskEvent) -> None:
        """Record one fact. Never raises; does not block.

        The data is redacted and encoded before this returns, so the caller may change it after.
        In a forked child of a relaying process it waits at most 0.1 s when the parent is too busy.
        """
        if not self._is_active:
            return
        life = self._life
        try:
            if life.pid != os.getpid():
                life = self._current()
            if life.is_stopped:
                return
            plugins = self._plugins
            if plugins is None or plugins.event_filter is not None:
                filtered = self._filtered(life, event)
                if filtered is None:
                    return
                event, plugins = filtered
            wire = to_wire(event, plugins.redactor, plugins.seal)
            if life.writer is None:
                life.outbox.append(wire.kind, wire.occurred_at, _encode(wire))
            else:
                life.writer.send(wire)
            if life.wanted_role is not None:
                self.ensure_started(life.wanted_role)
        except Exception as error:
            self._lose(life, NOT_ENCODABLE, event, error)

    def defer(self, tell: Callable[..., object], *facts: Any) -> None:
        """Call `tell(*facts)` soon; see `z4j_core.plugins.Host`."""
        life = self._life
        if life.pid != os.getpid():
            life = self._current()
        life.deferred.add(tell, facts)

    def catch_up(self) -> None:
        """Tell now what was deferred."""
        self._current().deferred.catch_up()

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        """Open what was sealed with the task; see `z4j_core.plugins.Host`."""
        plugins = self._plugins
        return None if plugins is None else plugins.sealing.open(engine, task)

    def _filtered(self, life: Incarnation, event: TaskEvent) -> tuple[TaskEvent, PluginSet] | None:
        """Return the event as the plugins leave it, and the plugins; None if it is dropped."""
        if self._plugins is None:
            self.register()
        plugins = self._plugins
        if plugins is None or plugins.event_filter is None:
            return None if plugins is None else (event, plugins)
        try:
            left = plugins.event_filter(event)
        except Exception as error:
            # The filter may be there to keep something in: without its word nothing leaves.
            self._lose(life, FILTER_FAILED, event, error)
            return None
        return None if left is None else (left, plugins)

    def _lose(self, life: Incarnation, reason: str, event: Any, error: Exception) -> None:
        try:
            self._complain(f"An event was dropped: {reason}", error)
            kind = str(getattr(event, "kind", "unknown"))[:64]
            at = getattr(event, "occurred_at", 0)
            life.lose(reason, kind, at if isinstance(at, int) and 0 <= at < 1 << 52 else 0)
        except Exception:  # emit never raises, whatever it was given
            return

    def _attach(self) -> None:
        if self._plugins is None:
            plugins = PluginSet(self.settings, self._points)
            self._plugins = plugins  # before attaching: an engine may emit at once
            plugins.attach(self)
        elif self._plugins.look_again(self):
            self._current().renew(self._plugins)

    def _start(self, life: Incarnation, role: str, worker_name: str | None) -> None:
        plugins = self._plugins
        if plugins is None:
            return
        if life.writer is not None:
            if role != "scheduler":
                return
            life = self._leave_relay(life)
        if life.is_running:
            known = life.identity.role if life.identity is not None else role
            if ROLE_RANK.get(role, 1) <= ROLE_RANK.get(known, 1):
                return
            life = self._succeed(life)
        from z4j_agent.endpoint import Endpoint

        url, credential = self.settings.url, self.settings.credential
        if url is None or credential is None:
            return
        life.start(Endpoint(url, credential), plugins, role, worker_name, self._place())
        life.wanted_role = None
        if not self._has_exit_handler:
            self._has_exit_handler = True
            atexit.register(self.stop)

    def _place(self) -> Place | None:
        root, credential = self.settings.spool_root, self.settings.credential
        if root is None or credential is None:
            return None
        from z4j_agent.spool.place import Place

        return Place(root, credential.agent_id, self.settings.spool_bytes)

    def _succeed(self, old: Incarnation) -> Incarnation:
        new = Incarnation(self.settings.outbox_bytes)
        old.hand_over_relay(new)
        self._life = new
        old.retire(RETIRE_TIMEOUT_S)
        return new

    def _leave_relay(self, old: Incarnation) -> Incarnation:
        """Let a forked scheduler have a link: it has schedules of its own to tell.

        Celery's embedded beat closes all files that it inherits; the relay's descriptor may be its
        broker connection by now, and is neither written to nor closed.
        """
        old.leave_relay()
        self._graveyard.append(old)
        self._life = Incarnation(self.settings.outbox_bytes)
        return self._life

    def _current(self) -> Incarnation:
        """Return the state of this process; after a fork that nobody told us of, a new one."""
        if self._life.pid != os.getpid():
            with self._lock():
                if self._life.pid != os.getpid():
                    self.after_fork()
        return self._life

    def after_fork(self) -> None:
        """In a child: forget the parent's state. No I/O with anyone, no lock is taken."""
        old = self._life
        if not self._is_active or old.pid == os.getpid():
            return
        self._life = old.in_child()
        # Kept for ever: finalisers of the parent's objects must not run here.
        self._graveyard.append(old)

    def _lock(self) -> Any:
        """Return this process's lock: one that a dead thread of a parent holds is never met."""
        return self._locks.setdefault(os.getpid(), RLock())

    def _complain(self, what: str, error: Exception) -> None:
        key = f"{what}: {type(error).__name__}"
        if key in self._complaints or len(self._complaints) > 50:
            return
        self._complaints.add(key)
        _log.warning("%s (%s).", what, type(error).__name__, exc_info=_log.isEnabledFor(10))

    def _report_settings(self) -> None:
        if self.settings.log_level is not None:
            _log.setLevel(self.settings.log_level)
        if self.settings.problem is not None:
            _log.error("The z4j agent stays off: %s", self.settings.problem)
        for warning in self.settings.warnings:
            _log.warning("%s", warning)


_agents: list[weakref.ref[Agent]] = []


def _after_fork_in_child() -> None:
    for reference in _agents:
        agent = reference()
        if agent is not None:
            with contextlib.suppress(Exception):  # a fork must never fail because of the agent
                agent.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
