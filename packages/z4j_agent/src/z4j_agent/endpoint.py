"""From settings to an open WebSocket: address, credential, name resolution, limits."""

from __future__ import annotations

import asyncio
import logging
import selectors
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from z4j_agent import __version__
from z4j_agent.settings import link_url
from z4j_core.credential import Credential
from z4j_core.frames import MAX_FRAME_BYTES, SUBPROTOCOL
from z4j_core.link import LinkError
from z4j_core.link.errors import ADVICE, VERSION
from z4j_core.signing import MAC_BYTES

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
WRITE_LIMIT = 512 * 1024

# websockets writes request headers to its logger when that is set to DEBUG, and one of them is
# the bearer secret. A logger outside the hierarchy cannot be switched on by the host.
_SILENT = logging.Logger("z4j.agent.websockets", level=logging.CRITICAL + 1)


class Endpoint:
    """Where the agent connects to, and with what. Immutable."""

    def __init__(self, url: str, credential: Credential) -> None:
        self.url = url
        self.link_url = link_url(url)
        self.credential = credential
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.is_tls = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_tls else 80)

    @property
    def where(self) -> str:
        """The server as people know it, for messages."""
        return f"{self.host}:{self.port}"

    async def open(self, timeout_s: float = OPEN_TIMEOUT_S) -> ClientConnection:
        """Return an open WebSocket; raise what `reasons.explain` understands.

        No pings: the protocol has heartbeats of its own. No compression: it costs 90 KiB a link.
        """
        connection = await _Connect(
            self.link_url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            additional_headers={"Authorization": f"Bearer {self.credential.bearer()}"},
            user_agent_header=f"z4j-agent/{__version__}",
            open_timeout=timeout_s,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            max_size=MAX_FRAME_BYTES + MAC_BYTES,
            write_limit=WRITE_LIMIT,
            logger=_SILENT,
        )
        if connection.subprotocol != SUBPROTOCOL:
            connection.transport.abort()
            raise LinkError(VERSION, ADVICE[VERSION])
        return connection


class _Connect(connect):
    """Follows no redirect: the token goes to the address that the operator set and no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class AgentLoop(asyncio.SelectorEventLoop):
    """An event loop of which a forked child can let go, and that never delays the host's exit.

    The selector is known (`descriptor`), so a child can close its copy. Names are resolved on a
    daemon thread: threads of the default executor are joined when the interpreter ends, and a
    resolver may hang for half a minute.
    """

    def __init__(self) -> None:
        self._own_selector = selectors.DefaultSelector()
        super().__init__(self._own_selector)

    @property
    def descriptor(self) -> int | None:
        """The selector's file descriptor, if it has one."""
        fileno = getattr(self._own_selector, "fileno", None)
        return None if fileno is None else int(fileno())

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> Any:
        answer: asyncio.Future[Any] = self.create_future()

        def resolve() -> None:
            try:
                found, error = socket.getaddrinfo(host, port, **hints), None
            except Exception as caught:  # carried over to the waiting coroutine
                found, error = None, caught
            try:
                self.call_soon_threadsafe(settle, found, error)
            except RuntimeError:  # the loop was closed meanwhile
                return

        def settle(found: Any, error: Exception | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

        threading.Thread(target=resolve, name="z4j-agent-dns", daemon=True).start()
        return await answer
