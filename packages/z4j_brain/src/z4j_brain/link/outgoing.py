"""Messages of one link on their way out, in the order in which they were signed."""

from __future__ import annotations

import asyncio
import logging

from starlette.websockets import WebSocket

from z4j_brain.clock import now
from z4j_core import frames
from z4j_core.link import Link, State

log = logging.getLogger("z4j.link")


class Outgoing:
    """Writes what the link has queued, one flush at a time. Belongs to the event loop."""

    def __init__(self, websocket: WebSocket, link: Link) -> None:
        self._websocket = websocket
        self._link = link
        self._due = self._acknowledged = 0
        self._is_flushing = False
        self._moved_at = 0
        self._flushes: set[asyncio.Task[None]] = set()

    def start_at(self, position: int) -> None:
        """Note what the welcome acknowledges."""
        self._due = self._acknowledged = position

    def acknowledge(self, position: int) -> None:
        """Acknowledge what is committed, as far as this link has received it."""
        self._due = max(self._due, min(position, self._link.position))
        self.flush_soon()

    def stuck_for_us(self, at: int) -> int:
        """Return for how long a write has not moved on, in microseconds; 0 when none waits."""
        return at - self._moved_at if self._is_flushing else 0

    def flush_soon(self) -> None:
        """Write from a task of its own; for callers that cannot wait."""
        if not self._is_flushing:
            task = asyncio.get_running_loop().create_task(self.flush())
            self._flushes.add(task)
            task.add_done_callback(self._flushed)

    async def flush(self) -> None:
        """Write what is due. A second caller returns at once; the first writes on."""
        if self._is_flushing:
            return
        self._is_flushing, self._moved_at = True, now()
        try:
            while messages := self._take():
                for message in messages:
                    await self._websocket.send({"type": "websocket.send", "bytes": message})
                    self._moved_at = now()
        finally:
            self._is_flushing = False

    def _take(self) -> list[bytes]:
        if self._due > self._acknowledged and self._link.state is State.OPEN:
            # Made here and not before, so that a slow reader gets one and not a queue of them.
            self._acknowledged = self._due
            self._link.send(frames.Ack(self._due), now())
        return self._link.take_outgoing()

    def _flushed(self, task: asyncio.Task[None]) -> None:
        self._flushes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a message could not be written", exc_info=task.exception())
