"""Reads what an answer left unread of its request.

Hypercorn ends a connection whose request body was not read whole, without saying so in the answer;
the browser's next request on it would then fail, or even lose the answer that explains the refusal.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_048_576
PATIENCE_S = 2.0
_OF_A_BODY = {b"content-length", b"transfer-encoding"}


class DrainBody:
    """ASGI middleware: drains a small rest, and announces the end of the connection otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on; look after the body when the answer begins."""
        if scope["type"] != "http" or not any(name in _OF_A_BODY for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        may_say_so = scope["http_version"].startswith("1")  # HTTP/2 knows no such header

        async def send_after_body(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and not await body.drain() and may_say_so:
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, body.receive, send_after_body)


_CLOSE = (b"connection", b"close")


class _Body:
    """Knows whether the whole body was received."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_whole = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_whole = self._is_whole or not message.get("more_body", False)
        return message

    async def drain(self) -> bool:
        """Read the rest; tell whether that was the whole body."""
        left = MOST_BYTES
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._is_whole and left >= 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return False
        return self._is_whole
