"""One reader's outgoing messages: bounded, so that a slow reader harms only itself."""

from __future__ import annotations

import asyncio
from collections import deque

import msgspec

CLOSE_RESTARTING = 1012
CLOSE_TOO_SLOW = 1013
MAX_WAITING_MESSAGES = 64
MAX_WAITING_BYTES = 4 * 1024 * 1024


class Close(msgspec.Struct, frozen=True):
    """The end of a subscription: a WebSocket close code and its reason."""

    code: int
    reason: str


class Subscription:
    """Messages for one reader, in order. Belongs to one event loop."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.closed = asyncio.Event()
        self._close: Close | None = None
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()

    def offer(self, message: bytes | None) -> None:
        """Add a message. Never blocks; a reader that is too far behind is closed instead."""
        if message is None or self._close is not None:
            return
        self._waiting.append(message)
        self._bytes += len(message)
        is_full = len(self._waiting) > MAX_WAITING_MESSAGES or self._bytes > MAX_WAITING_BYTES
        # One message alone may be larger than the limit, and is still sent.
        if is_full and len(self._waiting) > 1:
            self._end(Close(CLOSE_TOO_SLOW, "reading too slowly; reconnect"))
        self._arrived.set()

    def close_for_restart(self) -> None:
        """End the subscription because the server stops."""
        self._end(Close(CLOSE_RESTARTING, "restarting"))

    def _end(self, close: Close) -> None:
        if self._close is None:
            self._close = close
        self._waiting.clear()
        self._bytes = 0
        self._arrived.set()
        self.closed.set()

    @property
    def close(self) -> Close | None:
        """Why the subscription has ended; None while it lives."""
        return self._close

    async def next(self) -> bytes | Close:
        """Wait for the next message, or for the end."""
        while not self._waiting:
            if self._close is not None:
                return self._close
            self._arrived.clear()
            await self._arrived.wait()
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message
