"""Frames that wait for the writer: filled on the event loop, emptied by the writer's thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

from z4j_brain.ingest.arrival import Arrival

MAX_BATCH = 5_000
"""Entries of one transaction, about; a frame is never split."""
MAX_BATCH_BYTES = 8 * 1_048_576
LINGER_S = 0.005
"""How long a batch waits for company after its first frame, unless the result of a command is in
it: somebody waits for that."""
_READ_AHEAD = 3


class Waiting:
    """A queue bounded in entries and bytes. Beyond three batches `put` waits, and so its link."""

    def __init__(self) -> None:
        self._frames: deque[Arrival] = deque()
        self._weight = 0
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room = asyncio.Event()

    @property
    def weight(self) -> int:
        """How many entries wait."""
        return self._weight

    @property
    def oldest_s(self) -> float | None:
        """When the first of the waiting frames came, in monotonic seconds."""
        with self._changed:
            return self._frames[0].queued_at_s if self._frames else None

    async def put(self, arrived: Arrival) -> None:
        """Hand over one frame; wait while the queue is full. On the event loop only."""
        self._loop = asyncio.get_running_loop()
        while self._is_full:
            self._room.clear()
            if self._is_full:
                await self._room.wait()
        with self._changed:
            arrived.queued_at_s = time.monotonic()
            self._frames.append(arrived)
            self._weight += arrived.weight
            self._bytes += arrived.size
            if len(self._frames) == 1:
                self._changed.notify()

    def take(self, timeout_s: float) -> list[Arrival]:
        """Return the next batch, at most about `MAX_BATCH` entries; none after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._closed, timeout_s)
            if not self._frames:
                return []
            is_awaited = any(arrived.result is not None for arrived in self._frames)
            linger = not (self._closed or is_awaited) and self._weight < MAX_BATCH
        if linger:
            time.sleep(LINGER_S)
        with self._changed:
            batch = self._pop()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._room.set)
        return batch

    def close(self) -> None:
        """Let `take` return at once from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def _is_full(self) -> bool:
        return (
            self._weight >= _READ_AHEAD * MAX_BATCH or self._bytes >= _READ_AHEAD * MAX_BATCH_BYTES
        )

    def _pop(self) -> list[Arrival]:
        batch: list[Arrival] = []
        weight = size = 0
        while self._frames and weight < MAX_BATCH and size < MAX_BATCH_BYTES:
            arrived = self._frames.popleft()
            batch.append(arrived)
            weight += arrived.weight
            size += arrived.size
        self._weight -= weight
        self._bytes -= size
        return batch
