"""Everything that belongs to one process and must not survive a fork.

What only a link or a relay needs is imported when one is opened.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from z4j_agent.deferred import Deferred
from z4j_agent.outbox import Outbox
from z4j_agent.plugin_set import PluginSet

if TYPE_CHECKING:
    import socket

    from z4j_agent.depths import DepthSampler
    from z4j_agent.dispatch import Dispatcher, Executor
    from z4j_agent.driver import Driver
    from z4j_agent.endpoint import Endpoint
    from z4j_agent.identity import Identity
    from z4j_agent.relay import RelayWriter
    from z4j_agent.schedules import ScheduleReader
    from z4j_agent.spool.place import Place
    from z4j_core.frames import Hello

_log = logging.getLogger("z4j.agent")


class Incarnation:
    """The agent's state in one process: its outbox and link, or its way to the parent.

    Callers hold the agent's lock, except for `lose`, which is thread-safe.
    """

    def __init__(self, outbox_bytes: int, writer: RelayWriter | None = None) -> None:
        self.pid = os.getpid()
        self.outbox_bytes = outbox_bytes
        self.outbox = Outbox(outbox_bytes)
        self.deferred = Deferred()
        self.writer = writer
        self.identity: Identity | None = None
        self.wanted_role: str | None = None
        self.is_stopped = False
        self._driver: Driver | None = None
        self._dispatcher: Dispatcher | None = None
        self._relay: tuple[socket.socket, socket.socket] | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether a driver works for this process."""
        return self._driver is not None

    def lose(self, reason: str, kind: str, occurred_at: int) -> None:
        """Count an event that could not be accepted."""
        if self.writer is not None:
            self.writer.lose(kind, occurred_at)
        else:
            self.outbox.lose(reason, kind, occurred_at)

    def start(
        self,
        endpoint: Endpoint,
        plugins: PluginSet,
        role: str,
        worker_name: str | None,
        place: Place | None = None,
    ) -> None:
        """Start the driver; after a stop the same identity goes on. `place` is for the spool."""
        from z4j_agent.driver import Driver
        from z4j_agent.identity import Identity

        if self.identity is None:
            self.identity = Identity.of_this_process(role, worker_name)
        if self._dispatcher is None:
            self._dispatcher = self._new_dispatcher(plugins)
        describe = _describer(self.identity, plugins)
        if place is not None:
            self._open_spool(place, self.identity)
        depths, schedules = _readers(plugins, self._dispatcher)
        driver = Driver(
            endpoint,
            self.outbox,
            self._dispatcher,
            describe,
            self.deferred,
            place,
            depths,
            schedules,
        )
        driver.start()
        self._driver = driver
        self.is_stopped = False
        if self._relay is not None:
            self._watch_relay(driver, self._relay[0])

    def stop(self, timeout_s: float) -> None:
        """Flush, disconnect, and refuse events until the next start."""
        self.deferred.catch_up()
        self.is_stopped = True
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.stop(timeout_s)
        self._close_relay()
        if self.outbox.is_drained:
            self.outbox.leave()  # else its lock is held until the process ends or starts again

    def retire(self, timeout_s: float) -> None:
        """Let the driver flush and end in the background: another incarnation takes over."""
        self.deferred.catch_up()
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.retire(timeout_s)

    def renew(self, plugins: PluginSet) -> None:
        """What this process can do has changed: greet the server anew, if there is a link."""
        if self._dispatcher is not None:
            self._dispatcher.executor = _executor(plugins)
            if self._driver is not None:
                self._driver.renew(*_readers(plugins, self._dispatcher))

    def open_relay(self) -> None:
        """Make processes that are forked from now on hand their events to this one."""
        from z4j_agent.relay import open_pair

        if self._relay is None and self.writer is None:
            self._relay = open_pair()
            if self._driver is not None:
                self._watch_relay(self._driver, self._relay[0])

    def hand_over_relay(self, other: Incarnation) -> None:
        """Give the relay to the incarnation that takes over."""
        other._relay, self._relay = self._relay, None

    def leave_relay(self) -> None:
        """Forget the way to the parent, in a child."""
        if self.writer is not None:
            self.writer.let_go()

    def in_child(self) -> Incarnation:
        """Return the state for a forked child; no I/O, no lock, no word to the server."""
        if self._driver is not None:
            self._driver.let_go()
        self.outbox.let_go()
        writer = self.writer
        if self._relay is not None:
            from z4j_agent.relay import RelayWriter  # loaded when the relay was opened

            parent_end, child_end = self._relay
            parent_end.close()
            writer = RelayWriter(child_end)
        child = Incarnation(self.outbox_bytes, writer)
        if self.identity is not None and self._driver is not None and writer is None:
            child.wanted_role = self.identity.role
        return child

    def _open_spool(self, place: Place, identity: Identity) -> None:
        """Keep events in files too; without them, as on a read-only system, memory must do."""
        if self.outbox.journal is not None or self.outbox.sender.kept:
            return
        from z4j_agent.spool.front import Front
        from z4j_agent.spool.journal import Journal

        outbox = self.outbox
        try:
            folder = place.create(identity.epoch)
            front = Front.create(folder)
            limit = place.limit_bytes
            outbox.write_to(Journal(folder, identity, limit, outbox.losses, front=front))
        except OSError as error:
            _log.warning(
                "The z4j agent keeps events in memory only, and loses them when the process is "
                "killed: no spool can be written (%s). Set Z4J_SPOOL_DIR to a folder that this "
                "user can write to, or Z4J_SPOOL=off to do without.",
                error,
            )

    def _new_dispatcher(self, plugins: PluginSet) -> Dispatcher:
        from z4j_agent.dispatch import Dispatcher, Outcome

        sender = self.outbox.sender

        def push(outcome: Outcome) -> int:
            seq = self.outbox.push(outcome.frame)
            if self._driver is not None:
                self._driver.hurry()
            return seq

        return Dispatcher(_executor(plugins), push, lambda: sender.last - sender.kept)

    def _watch_relay(self, driver: Driver, end: socket.socket) -> None:
        from z4j_agent.relay import RelayReader

        def lose(reason: str, kind: str, at: int, count: int) -> None:
            self.outbox.lose(reason, kind, at, count)

        driver.watch(RelayReader(end, self.outbox.append, lose))

    def _close_relay(self) -> None:
        relay, self._relay = self._relay, None
        for end in relay or ():
            end.close()


def _executor(plugins: PluginSet) -> Executor:
    from z4j_agent.dispatch import Executor

    return Executor([*plugins.engines, *plugins.schedulers], plugins.redactor)


def _readers(
    plugins: PluginSet, dispatcher: Dispatcher
) -> tuple[DepthSampler, ScheduleReader | None]:
    """Return what asks engines for their depths and schedulers for their schedules."""
    from z4j_agent.depths import DepthSampler
    from z4j_agent.schedules import ScheduleReader

    schedulers, redactor = plugins.schedulers, plugins.redactor
    reader = ScheduleReader(schedulers, redactor, dispatcher.on_thread) if schedulers else None
    return DepthSampler(plugins.engines), reader


def _describer(identity: Identity, plugins: PluginSet) -> Callable[[bytes], Hello]:
    from z4j_agent.greeting import hello

    def describe(nonce: bytes) -> Hello:
        problems = [f"{problem.plugin}: {problem.detail}" for problem in plugins.problems]
        return hello(
            identity,
            nonce,
            plugins.engines,
            plugins.framework,
            problems,
            plugins.redactor,
            plugins.sealing.key_ids,
            plugins.schedulers,
        )

    return describe
