"""A server for tests: the brain's side of the real protocol on a loopback port, in memory.

    with LoopbackBrain() as brain:
        agent = Agent(Settings.from_environment(brain.environment()))
        …
        brain.wait_for(lambda: len(brain.events) == 3)

It commits by remembering, acknowledges after that, and can be made to misbehave.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import ssl
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from z4j_core import frames
from z4j_core.codec import MSGPACK
from z4j_core.credential import SECRET_BYTES, Credential
from z4j_core.events import WireEvent
from z4j_core.link import CloseReason, Link, LinkError
from z4j_core.link.errors import ADVICE, BAD_SIGNATURE, VERSION

_CLOSE_CODES = {BAD_SIGNATURE: 4403, VERSION: 4426}
_CAN_SHARE_PORTS = hasattr(socket, "SO_REUSEPORT")
_SILENT = logging.Logger("z4j.agent.testing", level=logging.CRITICAL + 1)


def new_credential() -> Credential:
    """Return a credential with fresh random parts."""
    return Credential(uuid.uuid4(), *(secrets.token_bytes(SECRET_BYTES) for _ in range(3)))


class LoopbackBrain:
    """Use it as a context manager. Its attributes may be read from any thread.

    `is_acknowledging`, `refuse_with`, `clock_offset_us` and `protocol_version` may be set at any
    time; the last three matter for links that open later. `stop` and `start` keep what was
    committed, like a restart, and the port: nobody else gets it meanwhile. A newer link of the
    same worker and epoch takes the place of an older one.
    """

    def __init__(
        self, credential: Credential | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.credential = credential or new_credential()
        self.hellos: list[frames.Hello] = []
        self.events: list[WireEvent] = []
        self.batches: list[int] = []
        self.gaps: list[frames.Gap] = []
        self.results: list[frames.Result] = []
        self.schedules: list[frames.Schedules] = []
        self.heartbeats: list[frames.Heartbeat] = []
        self.goodbyes: list[frames.Goodbye] = []
        self.link_errors: list[str] = []
        self.positions: dict[tuple[str, str], int] = {}
        self.is_acknowledging = True
        self.refuse_with: int | None = None
        self.clock_offset_us = 0
        self.protocol_version = frames.PROTOCOL_VERSION
        self.port = 0
        self._tls = tls
        self._links: dict[ServerConnection, Link] = {}
        self._newest: dict[tuple[str, str], Link] = {}
        self._is_port_kept = False
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending = asyncio.Event()

    @property
    def url(self) -> str:
        """What `Z4J_URL` would be."""
        scheme, host = ("http", "127.0.0.1") if self._tls is None else ("https", "localhost")
        return f"{scheme}://{host}:{self.port}"

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of an agent of this server; it has no spool unless told so."""
        own = {"Z4J_URL": self.url, "Z4J_TOKEN": self.credential.token(), "Z4J_SPOOL": "off"}
        return {**own, **more}

    @property
    def open_links(self) -> int:
        """How many agents have been welcomed and are still there."""
        return len(self._links)

    def start(self) -> None:
        """Listen; after a `stop` on the same port as before."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._listen(ready)), name="loopback-brain", daemon=True
        )
        self._thread.start()
        if not ready.wait(60):
            raise RuntimeError("the loopback server did not start")

    def stop(self) -> None:
        """Cut all connections and stop listening."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ending.set)
        thread.join(60)
        self._loop = self._thread = None

    def cut(self) -> None:
        """Cut every connection without a word."""

        def abort() -> None:
            for connection in list(self._links):
                connection.transport.abort()

        self._call(abort)

    def command(self, command: frames.Command) -> None:
        """Send a command to every agent."""
        self._to_all(lambda link: link.send(command, _now()))

    def watch_schedules(self, *stores: frames.WatchedStore, every_s: float = 0.2) -> None:
        """Elect every agent to read these schedules."""
        self._to_all(lambda link: link.send(frames.WatchSchedules(every_s, [*stores]), _now()))

    def goodbye(self, code: str, detail: str, retry_after_s: float = 0.0) -> None:
        """Say goodbye to every agent."""
        self._to_all(lambda link: link.close(CloseReason(code, detail, retry_after_s), _now()))

    def say_raw(self, message: bytes | str) -> None:
        """Send something that is not signed."""

        def say() -> None:
            for connection in list(self._links):
                self._spawn(connection.send(message))

        self._call(say)

    def wait_for(self, condition: Callable[[], object], timeout_s: float = 60.0) -> bool:
        """Wait until the condition holds; False after `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.1))
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def _listen(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        async with serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(frames.SUBPROTOCOL)],
            compression=None,
            ssl=self._tls,
            process_request=self._check,
            ping_interval=None,
            close_timeout=0.5,
            logger=_SILENT,
            reuse_port=_CAN_SHARE_PORTS,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self._keep_port()
            ready.set()
            await self._ending.wait()
            for connection in list(self._links):
                connection.transport.abort()

    def _keep_port(self) -> None:
        """Hold the port with a socket that never listens, so that it is ours while we are stopped.

        Else the kernel may give it to somebody's outgoing connection: even to an agent's own, to
        this very port.
        """
        if _CAN_SHARE_PORTS and not self._is_port_kept:
            self._is_port_kept = True
            keeper = socket.socket()
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            keeper.bind(("127.0.0.1", self.port))
            weakref.finalize(self, os.close, keeper.detach())

    def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuse_with is not None:
            return connection.respond(HTTPStatus(self.refuse_with), "refused\n")
        if request.headers.get("Authorization") != f"Bearer {self.credential.bearer()}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "unknown token\n")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        link = Link.for_brain(self.credential.signing_key, nonce)
        key = ("", "")
        try:
            while link.close_reason is None:
                message = await connection.recv()
                for frame in link.receive(_binary(message), _now()):
                    if isinstance(frame, frames.Hello):
                        key = (frame.worker_id, frame.epoch)
                        self._welcome(connection, link, frame, key)
                    elif self._newest.get(key) is link:
                        self._commit(link, frame, key)
                    else:
                        return  # what this one still holds comes again on the newer
                await self._write(connection, link)
        except LinkError as error:
            self._note(self.link_errors, error.code)
            await connection.close(_CLOSE_CODES.get(error.code, 4400), error.code)
        except ConnectionClosed:
            pass
        finally:
            self._links.pop(connection, None)
            self._note(None, None)

    def _welcome(
        self, connection: ServerConnection, link: Link, hello: frames.Hello, key: tuple[str, str]
    ) -> None:
        if self.protocol_version not in hello.versions:
            raise LinkError(VERSION, ADVICE[VERSION])
        now = time.time_ns() // 1000 + self.clock_offset_us
        link.welcome(hello, self.positions.get(key, 0), "loopback", "0.0.0", now)
        self._links[connection] = self._newest[key] = link
        self._note(self.hellos, hello)

    def _commit(self, link: Link, frame: Any, key: tuple[str, str]) -> None:
        if isinstance(frame, frames.RawEvents):
            events, bad = MSGPACK.decode_events(frame.events)
            with self._changed:
                self.events.extend(events)
                self.batches.append(len(events))
                self.link_errors.extend(bad)
        elif isinstance(frame, frames.Gap):
            self._note(self.gaps, frame)
        elif isinstance(frame, frames.Result):
            self._note(self.results, frame)
        elif isinstance(frame, frames.Heartbeat):
            self._note(self.heartbeats, frame)
        elif isinstance(frame, frames.Schedules):
            self._note(self.schedules, frame)
        elif isinstance(frame, frames.Goodbye):
            self._note(self.goodbyes, frame)
        self.positions[key] = link.position
        if hasattr(frame, "seq") and self.is_acknowledging:
            link.send(frames.Ack(link.position), _now())
        self._note(None, None)

    async def _write(self, connection: ServerConnection, link: Link) -> None:
        for message in link.take_outgoing():
            await connection.send(message)

    def _to_all(self, act: Callable[[Link], None]) -> None:
        def go() -> None:
            for connection, link in list(self._links.items()):
                act(link)
                self._spawn(self._write(connection, link))

        self._call(go)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _call(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function)

    def _note(self, where: list[Any] | None, what: Any) -> None:
        with self._changed:
            if where is not None:
                where.append(what)
            self._changed.notify_all()


def _binary(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


def _now() -> int:
    return time.monotonic_ns() // 1000
