"""Hypercorn's WebSocket stream within the bounds that an open port needs.

Hypercorn 0.18 accepts `permessage-deflate` whenever a client offers it, which costs 90 KiB a link
and lets a small message inflate before its size is known; and after a message beyond
`websocket_max_message_size` it says 1009 but goes on buffering what follows. And when the
application has ended a WebSocket whose client goes on sending, ten messages fill the queue that
nobody reads any more, and the connection is never let go. It has no setting for any of this, so its
stream class is replaced by one that declines compression, ends such a connection, and forgets what
comes after the application's end.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.protocol import h2, h11
from hypercorn.protocol.events import Event, Request, StreamClosed
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.events import Message

_EXTENSIONS = b"sec-websocket-extensions"


class BoundedBuffer(WebsocketBuffer):
    """Refuses a message before it is kept, and everything after it."""

    is_over = False

    def extend(self, event: Message[Any]) -> None:
        """Keep a part of a message; raise `FrameTooLargeError` once the whole is too large."""
        if self.is_over or self.length + len(event.data) > self.max_length:
            self.is_over = True
            self.clear()
            raise FrameTooLargeError
        super().extend(event)


class BoundedStream(WSStream):
    """A WebSocket without compression that ends at the first message beyond the limit."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.buffer: BoundedBuffer = BoundedBuffer(self.config.websocket_max_message_size)
        self._inbox: asyncio.Queue[Any] | None = None
        self._put: Callable[[Any], Awaitable[None]] | None = None
        self._app_has_ended = False

    async def handle(self, event: Event) -> None:
        """Take an event of the connection."""
        if isinstance(event, Request):
            headers = [pair for pair in event.headers if pair[0].lower() != _EXTENSIONS]
            event = dataclasses.replace(event, headers=headers)
        await super().handle(event)
        if self.app_put is not None and self._put is None:
            self._put, self.app_put = self.app_put, self._put_if_read
            # The bound method of the queue: what waits to be put can be let go through it alone.
            self._inbox = getattr(self._put, "__self__", None)

    async def app_send(self, message: Any) -> None:
        """Take what the application sends; None is its end."""
        if message is None:
            self._app_has_ended = True
            while self._inbox is not None and not self._inbox.empty():
                self._inbox.get_nowait()  # wakes the reader, if it waits for room
        await super().app_send(message)

    async def _put_if_read(self, message: Any) -> None:
        if not self._app_has_ended and self._put is not None:
            await self._put(message)

    async def _handle_events(self) -> None:
        await super()._handle_events()
        if self.buffer.is_over and not self.closed:
            await self.send(StreamClosed(stream_id=self.stream_id))


def install() -> None:
    """Make Hypercorn use it, for every WebSocket of this process. Idempotent."""
    for protocol in (h11, h2):
        protocol.WSStream = BoundedStream  # type: ignore[attr-defined]
