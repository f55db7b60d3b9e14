"""The address under which the server is asked: its host name and the URL prefix."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from z4j_brain.api.problems import Problem

_ALWAYS = {"/healthz", "/readyz", "/metrics"}


class AllowedHosts:
    """ASGI middleware: refuses host names that the operator did not allow.

    `/healthz`, `/readyz` and `/metrics` are answered under any name: machines ask by address.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = tuple(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or go on."""
        if scope["type"] == "lifespan" or self._is_allowed(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(4403, "host_refused")
        else:
            problem = Problem(
                400, "host-refused", "This host name is not among those of Z4J_ALLOWED_HOSTS."
            )
            await problem.response()(scope, receive, send)

    def _is_allowed(self, connection: HTTPConnection) -> bool:
        if "*" in self._allowed or connection.scope["path"] in _ALWAYS:
            return True
        try:
            name = urlsplit("//" + connection.headers.get("host", "")).hostname or ""
        except ValueError:
            return False
        return any(_matches(name, allowed) for allowed in self._allowed)


def _matches(name: str, allowed: str) -> bool:
    if allowed.startswith("*."):
        return name.endswith(allowed[1:])
    return name == allowed.strip("[]")


class Prefix:
    """ASGI middleware: takes the URL prefix off, whether or not the proxy has done so."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._raw = prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Shorten the path and go on."""
        path: str = scope.get("path", "")
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            raw: bytes = scope.get("raw_path") or b""
            scope = {
                **scope,
                "path": path.removeprefix(self._prefix) or "/",
                "raw_path": raw.removeprefix(self._raw) or b"/",
            }
        await self._app(scope, receive, send)
