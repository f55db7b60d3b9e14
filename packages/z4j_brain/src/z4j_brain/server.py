"""Runs the app on Hypercorn until a signal says stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from typing import TYPE_CHECKING, Any, cast

from hypercorn.asyncio.run import worker_serve
from hypercorn.config import Config, Sockets
from hypercorn.utils import wrap_app

from z4j_brain import __version__
from z4j_core.frames import MAX_FRAME_BYTES

if TYPE_CHECKING:
    from hypercorn.typing import ASGIFramework
    from starlette.applications import Starlette

    from z4j_brain.brain import Brain

logger = logging.getLogger("z4j.server")
MAX_MESSAGE_BYTES = MAX_FRAME_BYTES + 4096
_BACKLOG = 1024
_KEEP_ALIVE_S = 75
_GRACE_S = 5


class ListenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; raises `ListenError`."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ListenError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}."
            " Choose another with --port or Z4J_PORT, or --host or Z4J_HOST."
        ) from error
    # What it accepts inherits this. Without it, asyncio's own loop keeps the second half of an
    # answer back until the client's delayed acknowledgement comes: 40 ms each.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket, prefix: str) -> str:
    """Return the URL under which a browser on this machine reaches the server."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not listened on
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix}"


def run(app: Starlette, brain: Brain, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; agents hear a goodbye first."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(app, brain, listener))


async def serve(
    app: Starlette,
    brain: Brain,
    listener: socket.socket,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until `stop` is set; without one, until SIGINT or SIGTERM."""
    stopping = stop or _signals()
    asyncio.get_running_loop().set_exception_handler(_report_unless_cancelled)

    async def wait_and_say_goodbye() -> None:
        await stopping.wait()
        # While Hypercorn still serves the connections, or the goodbyes would not leave.
        logger.info("stopping: the agents are told to come back")
        await brain.stop()

    config = configuration()
    logger.info("z4j %s starts as replica %s", __version__, brain.replica)
    await worker_serve(
        wrap_app(cast("ASGIFramework", app), config.wsgi_max_body_size, "asgi"),
        config,
        sockets=Sockets([], [listener], []),
        shutdown_trigger=wait_and_say_goodbye,
    )


def configuration() -> Config:
    """Return Hypercorn's settings, with limits that an open port needs."""
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE_S
    config.graceful_timeout = _GRACE_S
    config.websocket_max_message_size = MAX_MESSAGE_BYTES
    return config


def _report_unless_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Connections that outlast the grace are cancelled, and Python 3.11's streams report that."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def _signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopping.set)
        except NotImplementedError:  # the event loop of Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
    return stopping


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
