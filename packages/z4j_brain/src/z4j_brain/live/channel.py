"""One project's feed while somebody reads it: flushes what changed, and ticks."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextvars import Context
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from z4j_brain.live.feed import Feed, Pending
from z4j_brain.live.messages import Batch, Reset, Tick
from z4j_brain.live.subscription import Subscription

if TYPE_CHECKING:
    from z4j_brain.live.hub import Source

logger = logging.getLogger("z4j.live")
FLUSH_EVERY_S = 0.1
TICK_EVERY_S = 5.0


class Channel:
    """Two loops for all readers of one project. `wake` is thread-safe, the rest is not."""

    def __init__(self, project_id: UUID, source: Source, feed: Feed, lock: threading.Lock) -> None:
        self.subscriptions: set[Subscription] = set()
        self._project_id = project_id
        self._source = source
        self._feed = feed
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to flush and to tick."""
        own = Context()  # or they would log under the id of the first reader's request
        self._tasks = [
            asyncio.create_task(self._flush(), context=own),
            asyncio.create_task(self._tick(), context=own),
        ]

    def wake(self) -> None:
        """Say that something changed. From any thread."""
        try:
            self._loop.call_soon_threadsafe(self._woken.set)
        except RuntimeError:
            logger.debug("a change was published after the server's loop had ended")

    def cancel(self) -> None:
        """End both loops without waiting for them."""
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """End both loops."""
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _flush(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            with self._lock:
                offset, pending = self._feed.settled, self._feed.take()
            try:
                await self._send_changes(offset, pending)
            except Exception:  # a failing database must not end the feed: readers look again
                logger.exception("could not read what changed; readers are told to read again")
                self._offer_all(msgspec.json.encode(Reset(offset)))
            await asyncio.sleep(FLUSH_EVERY_S)

    async def _send_changes(self, offset: int, pending: Pending) -> None:
        if not pending.size:
            return
        views = await self._source.views(self._project_id, pending.changes())
        batch = Batch(offset, views, is_many=pending.is_many)
        for subscription in tuple(self.subscriptions):
            subscription.offer(batch.encode(subscription.topics))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_EVERY_S)
            try:
                pulse = await self._source.pulse(self._project_id)
            except Exception:  # the next tick tries again; silence tells the reader enough
                logger.exception("could not read the state of a feed")
                continue
            with self._lock:
                was_missed = self._feed.check(pulse.position, time.monotonic())
                offset = self._feed.settled
            if was_missed:
                self._offer_all(msgspec.json.encode(Reset(offset)))
            self._offer_all(msgspec.json.encode(Tick(offset, pulse.now, pulse.lag_ms)))

    def _offer_all(self, message: bytes) -> None:
        for subscription in tuple(self.subscriptions):
            subscription.offer(message)
