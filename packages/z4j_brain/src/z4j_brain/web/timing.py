"""Measures how long requests take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from z4j_brain.watch.requests import RequestTimes

_FAILED = 500


class MeasureRequests:
    """ASGI middleware: notes each HTTP request when it has ended; WebSockets are no requests."""

    def __init__(self, app: ASGIApp, times: RequestTimes) -> None:
        self._app = app
        self._times = times

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Go on; note the time and the status, 500 when nothing was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _FAILED
        began = time.perf_counter()

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_look)
        finally:
            self._times.observe(scope["path"], status, time.perf_counter() - began)
