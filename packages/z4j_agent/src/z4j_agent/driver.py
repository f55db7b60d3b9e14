"""The agent's one thread: keeps a link to the server for as long as the process wants one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from random import SystemRandom
from threading import Thread, current_thread

from z4j_agent import reasons
from z4j_agent.connection import Connection, Stopping
from z4j_agent.deferred import IN_A_ROW, PAUSE_S, Deferred
from z4j_agent.depths import DepthSampler
from z4j_agent.dispatch import Dispatcher
from z4j_agent.endpoint import AgentLoop, Endpoint
from z4j_agent.outbox import Outbox
from z4j_agent.relay import READS_PER_TURN, RelayReader
from z4j_agent.schedules import ScheduleReader
from z4j_agent.spool.adoption import Adopter
from z4j_agent.spool.place import Place
from z4j_core import frames
from z4j_core.link import AUTHENTICATION, BackOff, Link, LinkError

SETTLED_S = 10.0
"""A link that lived this long was a good one: the back-off begins anew after it."""

JOIN_GRACE_S = 0.5
LAST_TRIES_S = 0.2
"""Between attempts while the process waits to end and the server cannot be reached."""

RELAY_PAUSE_S = 0.01
IN_FRONT_S = 0.5
"""Seconds that an event may be in front of the spool's file, in shared memory."""

_log = logging.getLogger("z4j.agent")


class Driver:
    """Runs the links of one incarnation on a daemon thread. Methods are callable from any thread.

    `describe` makes the hello for a nonce; it is asked anew for every link, because what engines
    can do may change.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        outbox: Outbox,
        dispatcher: Dispatcher,
        describe: Callable[[bytes], frames.Hello],
        deferred: Deferred,
        place: Place | None = None,
        depths: DepthSampler | None = None,
        schedules: ScheduleReader | None = None,
    ) -> None:
        self._depths = depths
        self._schedules = schedules
        self._endpoint = endpoint
        self._outbox = outbox
        self._dispatcher = dispatcher
        self._describe = describe
        self._deferred = deferred
        self._loop = AgentLoop()
        self._stopping = Stopping()
        self._connection: Connection | None = None
        self._back_off = BackOff(SystemRandom())
        self._said: set[str] = set()
        self._relay: RelayReader | None = None
        self._adopter = None if place is None else Adopter(endpoint, place, outbox)
        self._is_retiring = False
        self._thread = Thread(target=self._main, name="z4j-agent", daemon=True)

    def start(self) -> None:
        """Start the thread; raise `RuntimeError` when the system gives none."""
        self._dispatcher.on_driver = self._call_soon
        self._dispatcher.on_acted = self._acted
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.close()
            raise

    def stop(self, timeout_s: float) -> None:
        """Send what is left for at most `timeout_s` seconds, disconnect, end the thread."""
        self.stop_soon(timeout_s)
        if self._thread is not current_thread():
            self._thread.join(timeout_s + JOIN_GRACE_S)

    def stop_soon(self, timeout_s: float) -> None:
        """As `stop`, but without waiting for it."""
        deadline = time.monotonic() + max(0.0, timeout_s)
        self._call_soon(self._begin_stop, deadline)

    def retire(self, timeout_s: float) -> None:
        """As `stop_soon`, and leave the spool at the end: nobody goes on with this outbox."""
        self._is_retiring = True
        self.stop_soon(timeout_s)

    def watch(self, relay: RelayReader) -> None:
        """Read events of forked children from now on."""
        self._call_soon(self._watch, relay)

    def renew(self, depths: DepthSampler, schedules: ScheduleReader | None) -> None:
        """End the link, if there is one, and open another with a new hello and these."""

        def end() -> None:
            if self._depths is not None:
                self._depths.close()
            self._depths, self._schedules = depths, schedules
            if self._connection is not None:
                self._connection.renew()

        self._call_soon(end)

    def hurry(self) -> None:
        """Send now what was pushed. Driver's thread only."""
        if self._connection is not None:
            self._connection.hurry()

    def _acted(self, name: str) -> None:
        if self._connection is not None:
            self._connection.acted(name)

    def descriptors(self) -> list[int]:
        """Return the descriptors that a forked child must let go of."""
        found = [self._loop.descriptor]
        if self._connection is not None:
            found.append(self._connection.descriptor())
        if self._adopter is not None:
            found += self._adopter.descriptors()
        return [descriptor for descriptor in found if descriptor is not None and descriptor >= 0]

    def let_go(self) -> None:
        """In a forked child: give up the inherited descriptors without a word to the server.

        They are pointed at /dev/null rather than closed, because objects of the dead thread still
        hold their numbers and would close whatever gets these numbers next.
        """
        nowhere = os.open(os.devnull, os.O_RDWR)
        try:
            for descriptor in self.descriptors():
                os.dup2(nowhere, descriptor, inheritable=False)
        finally:
            os.close(nowhere)
        if self._adopter is not None:
            self._adopter.let_go()

    def _call_soon(self, function: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the thread has ended already
            self._loop.call_soon_threadsafe(function, *args)

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._run())
        except Exception:
            _log.exception("The z4j agent's thread ended; nothing more is reported.")
        if self._depths is not None:
            self._depths.close()
        if self._is_retiring:
            self._outbox.leave()

    async def _run(self) -> None:
        links = asyncio.create_task(self._keep_linked())
        tasks = [links]
        teller = asyncio.create_task(self._keep_told())
        if self._adopter is not None:
            tasks.append(asyncio.create_task(self._adopter.run(self._stopping)))
            tasks.append(asyncio.create_task(self._keep_in_file()))
        await self._stopping.event.wait()
        left = self._stopping.deadline - time.monotonic()
        if self._connection is None and self._outbox.is_drained:
            left = 0.0  # neither a word to send nor anyone to send it to
        await asyncio.wait(tasks, timeout=max(0.0, left))
        tasks.append(teller)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=JOIN_GRACE_S)

    async def _keep_told(self) -> None:
        """Tell what plugins deferred: the first of it at once, the rest after a pause."""
        deferred, some = self._deferred, asyncio.Event()
        deferred.limit = IN_A_ROW
        try:
            while True:
                some.clear()
                if deferred.wait(lambda: self._call_soon(some.set)):
                    await some.wait()
                deferred.catch_up(is_patient=False)
                await asyncio.sleep(PAUSE_S)
        finally:
            deferred.limit = 1
            deferred.catch_up()

    async def _keep_in_file(self) -> None:
        """While there is no link to seal frames for, a container that is removed takes its shared
        memory with it: what is there moves to the file soon.
        """
        while not self._stopping.is_set:
            await self._pause(IN_FRONT_S)
            self._outbox.flush()

    def _begin_stop(self, deadline: float) -> None:
        self._stopping.deadline = deadline
        if self._relay is not None:
            with contextlib.suppress(ValueError, OSError):
                self._loop.remove_reader(self._relay.fileno())
            while self._relay.drain() and time.monotonic() < deadline:
                pass
            self._relay = None
        self._stopping.event.set()

    async def _keep_linked(self) -> None:
        """One link after the other; after the wish to stop, only as long as something waits."""
        while True:
            reason = await self._link_once()
            if reason is None:
                if self._stopping.is_set:
                    return
                continue  # renewed
            self._explain_once(reason)
            await self._pause(self._wait_s(reason))
            if self._stopping.is_set:
                if self._outbox.is_drained or reason.bounds is AUTHENTICATION:
                    return  # nothing to send, or nobody who would take it
                await asyncio.sleep(LAST_TRIES_S)

    async def _link_once(self) -> reasons.Reason | None:
        """Connect and serve until the link ends; return why, or None if that was our wish."""
        opened = time.monotonic()
        reason: reasons.Reason | None = None
        try:
            await self._serve()
        except Exception as error:  # the thread must survive whatever the peer does
            reason = reasons.explain(error, self._endpoint.where)
            _log.debug("The link ended.", exc_info=reason.code == "unexpected")
        if time.monotonic() - opened >= SETTLED_S:
            self._back_off.succeeded()
            self._said.clear()
        return reason

    async def _serve(self) -> None:
        socket = await self._endpoint.open()
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        sender = self._outbox.sender
        link = Link.for_agent(self._endpoint.credential.signing_key, nonce, sender)
        submit = self._dispatcher.submit
        connection = Connection(
            socket, link, self._outbox, self._stopping, submit, self._depths, self._schedules
        )
        self._connection = connection
        try:
            welcome = await connection.greet(self._describe(nonce))
            self._dispatcher.clock_offset_us = connection.clock_offset_us
            _log.info(
                "Connected to z4j at %s, project %s.",
                self._endpoint.where,
                reasons.clean(welcome.project),
            )
            if self._adopter is not None:
                self._adopter.linked.set()
            await connection.run()
        except LinkError as error:
            await connection.close(error.code, error.detail)
            raise
        finally:
            self._connection = None
            if self._adopter is not None:
                self._adopter.linked.clear()
            await connection.close()

    def _explain_once(self, reason: reasons.Reason) -> None:
        if reason.code not in self._said:
            self._said.add(reason.code)
            _log.warning("No link to z4j: %s", reason.text)

    def _wait_s(self, reason: reasons.Reason) -> float:
        wait_s = self._back_off.failed(reason.bounds)
        if reason.retry_after_s is None:
            return wait_s
        is_refused = reason.bounds is AUTHENTICATION
        return max(wait_s, reason.retry_after_s) if is_refused else reason.retry_after_s

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.event.wait()

    def _watch(self, relay: RelayReader) -> None:
        if self._stopping.is_set:
            return
        self._relay = relay
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            self._loop.add_reader(relay.fileno(), self._read_relay, relay)

    def _read_relay(self, relay: RelayReader) -> None:
        """Read many at a time: after each turn let datagrams gather in the kernel for 10 ms."""
        count = relay.drain()
        with contextlib.suppress(ValueError, OSError):
            self._loop.remove_reader(relay.fileno())
        if self._relay is relay:
            pause = 0.0 if count == READS_PER_TURN else RELAY_PAUSE_S
            self._loop.call_later(pause, self._watch, relay)
