"""Sends what processes of this agent left behind when they died.

An adopter locks the spool, connects as the dead process (same worker, same epoch, `adopted` in the
hello), learns what was committed, sends the rest, and deletes the files. It waits for a link of
its own process first: only then the server is known to be there.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from pathlib import Path
from random import SystemRandom

from z4j_agent.connection import Connection, Stopping
from z4j_agent.endpoint import Endpoint
from z4j_agent.greeting import hello_of_the_dead
from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_agent.spool.front import sweep
from z4j_agent.spool.place import Folder, Place
from z4j_agent.spool.recovery import GIVEN_UP, UNCERTAIN, Remains
from z4j_core import frames
from z4j_core.link import Link, LinkError
from z4j_core.link.errors import OUT_OF_ORDER

EVERY_S = 30.0
"""Mean seconds between two looks for abandoned spools; each wait is drawn from around it."""

GREATEST_AGE_S = 7 * 86_400.0
PATIENCE_S = 600.0
MEMORY_BYTES = 4 * 1024 * 1024
PAUSE_S = 0.05

_log = logging.getLogger("z4j.agent")


class Adopter:
    """Looks after the spools of one agent. Lives on the driver's loop; one adoption at a time."""

    def __init__(self, endpoint: Endpoint, place: Place, own: Outbox) -> None:
        self.linked = asyncio.Event()
        self._endpoint = endpoint
        self._place = place
        self._own = own
        self._random = SystemRandom()
        self._adopted: Outbox | None = None
        self._connection: Connection | None = None
        self._unreadable: set[Path] = set()

    async def run(self, stopping: Stopping) -> None:
        """Look after the spools until the process wishes to stop. Never raises."""
        while not stopping.is_set:
            wait_s = EVERY_S * self._random.uniform(0.5, 1.5)
            try:
                self.keep_bounds()
                if self.linked.is_set():
                    await self._adopt_all(stopping)
            except Exception as error:  # the driver's loop must survive whatever lies there
                _log.debug("Adoption was cut short: %r", error)
            await self._wait(stopping, wait_s)

    def descriptors(self) -> list[int]:
        """Return the socket that a forked child must let go of, if there is one."""
        return [] if self._connection is None else [self._connection.descriptor()]

    def let_go(self) -> None:
        """In a forked child: close our copies of the adopted spool's descriptors."""
        if self._adopted is not None:
            self._adopted.let_go()

    def keep_bounds(self) -> None:
        """Give up spools that are too old, and the oldest ones while all are too large."""
        sweep()
        found = self._place.find()
        total = sum(one.size for one in found)
        for one in found:
            is_old = time.time() - one.written_at > GREATEST_AGE_S
            if is_old or total > self._place.limit_bytes:
                folder = self._place.take(one.path)
                if folder is not None:
                    total -= one.size
                    self._give_up(folder, is_old)
        journal = self._own.journal
        if journal is not None:
            own = sum(one.size for one in found if one.path == journal.folder.path)
            journal.other_bytes = max(0, total - own)

    async def _adopt_all(self, stopping: Stopping) -> None:
        for one in self._place.find():
            if stopping.is_set or not self.linked.is_set():
                return
            await self._adopt(one.path)
            await asyncio.sleep(PAUSE_S)

    async def _adopt(self, path: Path) -> None:
        """Send one spool, if nobody else does."""
        heard: int | None = None
        for _attempt in range(2):
            folder = self._place.take(path)
            if folder is None:
                return
            try:
                remains = self._read(folder)
                if remains is None:
                    return
                base = remains.base
                outbox = self._adopted = self._outbox(remains, heard)
            except OSError as error:
                folder.let_go()
                self._complain(path, str(error))
                return
            try:
                heard = await self._deliver(outbox, remains.identity, base if heard is None else 0)
            finally:
                self._adopted = None
                outbox.leave()
            if heard is None:
                return

    def _read(self, folder: Folder) -> Remains | None:
        remains = Remains.of(folder)
        if remains is None and folder.segments and not Remains.is_unbegun(folder):
            folder.let_go()
            self._complain(folder.path, "its header cannot be read")
            return None
        if remains is None or remains.is_empty:
            folder.delete()
            return None
        return remains

    def _outbox(self, remains: Remains, heard: int | None) -> Outbox:
        limits = (MEMORY_BYTES, self._place.limit_bytes)
        if heard is None:
            return remains.outbox(*limits)
        if heard < remains.base:
            return remains.renumbered(heard, *limits)
        return remains.without(heard, UNCERTAIN, *limits)

    async def _deliver(self, outbox: Outbox, who: Identity | None, base: int) -> int | None:
        """Send what is left; return the server's position if the spool does not fit it."""
        if who is None:
            return None
        socket = await self._endpoint.open()
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        link = Link.for_agent(self._endpoint.credential.signing_key, nonce, outbox.sender)
        stopping = Stopping()
        stopping.deadline = time.monotonic() + PATIENCE_S
        stopping.event.set()
        connection = Connection(socket, link, outbox, stopping, _ignore)
        self._connection = connection
        try:
            await connection.greet(hello_of_the_dead(who, nonce))
            if (outbox.sender.heard or 0) < base:
                return outbox.sender.heard
            await connection.run()
        except LinkError as error:
            await connection.close(error.code, error.detail)
            if error.code != OUT_OF_ORDER:
                raise
            return outbox.sender.heard
        finally:
            self._connection = None
            await connection.close()
        if outbox.is_drained:
            _log.info("What the process %s left behind has been sent.", who.worker_id)
        return None

    def _give_up(self, folder: Folder, is_old: bool) -> None:
        """Keep only the count of what a spool held; delete even that when it is old itself."""
        try:
            remains = Remains.of(folder)
            if remains is None or (is_old and not remains.has_events):
                folder.delete()
                return
            segments = [segment.number for segment in remains.segments]
            outbox = remains.without(0, GIVEN_UP, MEMORY_BYTES, self._place.limit_bytes)
            for number in segments:
                folder.delete_segment(number)
            outbox.leave()
            _log.warning("The spool %s was given up: too old, or too large.", folder.path)
        except OSError as error:
            self._complain(folder.path, str(error))
        finally:
            folder.let_go()

    def _complain(self, path: Path, why: str) -> None:
        if path not in self._unreadable:
            self._unreadable.add(path)
            _log.warning("The spool %s of a dead process cannot be sent: %s.", path, why)

    async def _wait(self, stopping: Stopping, seconds: float) -> None:
        """Wait for the stop, or for the next look; a link that opens first is a reason to look."""
        waits = [asyncio.ensure_future(stopping.event.wait())]
        if not self.linked.is_set():
            waits.append(asyncio.ensure_future(self.linked.wait()))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _ignore(_command: frames.Command) -> None:
    """The dead carry out no commands; the server sends them none."""
