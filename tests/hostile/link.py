"""Hostile agents against the real gateway: in memory by the thousand, or over a real socket."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec
from hypothesis import strategies as st
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hostile.frames import FROM_AGENT, HELLO, Step, encoded, frames, steps
from z4j_brain import clock
from z4j_brain.auth.passwords import Passwords
from z4j_brain.brain import Brain
from z4j_brain.keys import Keys
from z4j_brain.settings import load
from z4j_brain.store import agent_tokens, agents, migrate, projects
from z4j_brain.store.database import Database
from z4j_brain.store.types import new_id
from z4j_core import frames as wire
from z4j_core.codec import JSON, MSGPACK, Codec
from z4j_core.credential import Credential
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link, LinkError, Sender, State
from z4j_core.signing import Direction, Signer, hello_key

KEYS = Keys(b"m" * 40, b"s" * 40)
PATIENCE_S = 60.0
_DEFECTS = ("the care of", "could not be", "failed")


class Plan(msgspec.Struct, frozen=True):
    """What one hostile agent does: its opening, and then its messages."""

    codec: str
    opening: Step | None
    """None is a good hello."""
    proves: bool
    steps: list[Step]


plans: st.SearchStrategy[Plan] = st.builds(
    Plan,
    codec=st.sampled_from((MSGPACK.subprotocol, JSON.subprotocol)),
    opening=st.one_of(
        st.none(),
        st.none(),
        st.builds(Step, how=st.just("signed"), frame=frames((HELLO,))),
        steps((HELLO,)),
    ),
    proves=st.booleans(),
    steps=st.lists(steps(FROM_AGENT), max_size=8),
)


class Wire(Protocol):
    """A WebSocket as its client sees it."""

    async def send(self, message: bytes | str) -> None:
        """Send; silent when the server has closed."""

    async def receive(self) -> bytes | None:
        """Return the next message; None once the server has closed."""

    async def end(self) -> int | None:
        """Go away; wait for the server's end and return its close code, if it closed."""


class MemoryWire:
    """A WebSocket without a network, straight into the gateway's endpoint."""

    def __init__(self, endpoint: Callable[[WebSocket], Any], bearer: str, codec: Codec) -> None:
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_client: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._code: int | None = None
        self._to_server.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path": "/ws",
            "headers": [(b"authorization", f"Bearer {bearer}".encode())],
            "subprotocols": [codec.subprotocol],
            "client": ("127.0.0.1", 9),
        }
        socket = WebSocket(scope, self._to_server.get, self._take)
        self._serving = asyncio.create_task(self._serve(endpoint, socket))

    async def send(self, message: bytes | str) -> None:
        """See `Wire`."""
        kind = "bytes" if isinstance(message, bytes) else "text"
        self._to_server.put_nowait({"type": "websocket.receive", kind: message})

    async def receive(self) -> bytes | None:
        """See `Wire`."""
        return await self._to_client.get()

    async def end(self) -> int | None:
        """See `Wire`."""
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1006})
        async with asyncio.timeout(PATIENCE_S):
            await self._serving
        return self._code

    async def _serve(self, endpoint: Callable[[WebSocket], Any], socket: WebSocket) -> None:
        try:
            await endpoint(socket)
        finally:
            self._to_client.put_nowait(None)

    async def _take(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self._to_client.put_nowait(message["bytes"])
        elif message["type"] == "websocket.close":
            self._code = message["code"]
            self._to_client.put_nowait(None)


class SocketWire:
    """A WebSocket over a real socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: bytes | str) -> None:
        """See `Wire`."""
        with suppress(ConnectionClosed):
            await self._socket.send(message)

    async def receive(self) -> bytes | None:
        """See `Wire`."""
        try:
            message = await self._socket.recv()
        except ConnectionClosed:
            return None
        return message if isinstance(message, bytes) else message.encode()

    async def end(self) -> int | None:
        """See `Wire`."""
        async with asyncio.timeout(PATIENCE_S):
            await self._socket.close()
        return self._socket.close_code


class Watch(logging.Handler):
    """Collects what the server logs that no peer may make it log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep errors, and warnings that something was cut short."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR or any(word in text for word in _DEFECTS):
            self.found.append(self.format(record))


class Target:
    """A brain with one agent's token, and a good agent that must not notice anything."""

    def __init__(self, brain: Brain, credential: Credential, url: str = "") -> None:
        self.brain = brain
        self.credential = credential
        self.watch = Watch()
        self.messages = 0
        self.url = url
        self._good = Sender(MSGPACK.encode)
        self._good_epoch = uuid.uuid4().hex

    async def open(self, codec: Codec) -> Wire:
        """Open a WebSocket."""
        if not self.url:
            return MemoryWire(self.brain.gateway.endpoint, self.credential.bearer(), codec)
        socket = await connect(
            self.url.replace("http", "ws", 1) + "/ws",
            additional_headers={"Authorization": f"Bearer {self.credential.bearer()}"},
            subprotocols=[codec.subprotocol],  # type: ignore[list-item]
            max_size=None,
            ping_interval=None,
        )
        return SocketWire(socket)

    async def play(self, plan: Plan) -> list[str]:
        """Be that agent; return what went wrong on the server."""
        codec = JSON if plan.codec == JSON.subprotocol else MSGPACK
        wire_ = await self.open(codec)
        await _Attack(self, codec, wire_).carry_out(plan)
        code = await wire_.end()
        troubles = [f"closed with {code}"] if code == 1011 else []
        writer = self.brain.writer
        if writer.is_failing or writer.counters.failures:
            troubles.append("the writer fails")
        troubles += self.watch.found
        self.watch.found = []
        return troubles

    async def is_well(self) -> bool:
        """Whether the good agent's event is stored and acknowledged."""
        nonce = secrets.token_bytes(wire.NONCE_BYTES)
        link = Link.for_agent(self.credential.signing_key, nonce, self._good)
        self._good.push(lambda seq: wire.Events(seq, [_good_event(seq)]))
        wire_ = await self.open(MSGPACK)
        hello = wire.Hello([1], nonce, worker_id="good", epoch=self._good_epoch)
        link.start(hello, clock.now())
        async with asyncio.timeout(PATIENCE_S):
            while self._good.kept:
                link.pump(clock.now())
                for message in link.take_outgoing():
                    await wire_.send(message)
                answer = await wire_.receive()
                if answer is None:
                    break
                link.receive(answer, clock.now())
        await wire_.end()
        return not self._good.kept


class _Attack:
    """One plan under way."""

    def __init__(self, target: Target, codec: Codec, wire_: Wire) -> None:
        self._target = target
        self._codec = codec
        self._wire = wire_
        self._nonce = secrets.token_bytes(wire.NONCE_BYTES)
        key = target.credential.signing_key
        self._link = Link.for_agent(key, self._nonce, Sender(codec.encode), codec)
        self._sent: list[bytes] = []
        self._heard: list[bytes] = []
        self._seq = 1

    async def carry_out(self, plan: Plan) -> None:
        self._link.start(wire.Hello([1], self._nonce, worker_id="w1", epoch="e1"), 1)
        [hello] = self._link.take_outgoing()
        if plan.opening is None:
            await self._send(hello)
        else:
            await self._say(plan.opening, _hello_signer(self._target.credential.signing_key))
        if not self._sent and (plan.opening is None or plan.opening.how != "text"):
            await self._send(hello)  # the opening says again what nobody has said
        await self._hear_welcome()
        if self._link.state is State.OPEN and plan.proves:
            self._link.send(wire.Heartbeat(clock.now()), 1)
            for message in self._link.take_outgoing():
                await self._send(message)
        for step in plan.steps:
            await self._say(step, self._link._out)
            await asyncio.sleep(0)

    async def _hear_welcome(self) -> None:
        """Take the welcome, if there is one; a hello that is none is not answered."""
        answer = await self._wire.receive()
        if answer is None:
            return
        self._heard.append(answer)
        with suppress(LinkError):
            for frame in self._link.receive(answer, 1):
                if isinstance(frame, wire.Welcome):
                    self._seq = frame.position + 1

    async def _say(self, step: Step, signer: Any) -> None:
        if step.how == "text":
            await self._send(step.content.decode())
        elif step.how == "again":
            if self._sent:
                await self._send(self._sent[step.at % len(self._sent)])
        elif step.how == "reflected":
            if self._heard:
                await self._send(self._heard[-1])
        else:
            content = encoded(step, self._codec, self._seq, self._nonce)
            if step.frame and step.frame[0] in ("events", "result", "gap"):
                self._seq += 1
            await self._send(signer.sign(content) if step.how == "signed" else content)

    async def _send(self, message: bytes | str) -> None:
        self._target.messages += 1
        if isinstance(message, bytes):
            self._sent.append(message)
        await self._wire.send(message)


def _hello_signer(key: bytes) -> Signer:
    return Signer(hello_key(key), Direction.TO_BRAIN)


def _good_event(seq: int) -> WireEvent:
    task, now = f"good-{seq % 50}", clock.now()
    return WireEvent(Kind.STARTED, "celery", task, 0, now, "app.send", "email", b"{}")


@asynccontextmanager
async def target(database_url: str, home: Path, *, over_socket: bool) -> AsyncIterator[Target]:
    """Start a brain on a fresh database, with or without a listening server."""
    settings = load({"Z4J_HOME": str(home), "Z4J_DATABASE_URL": database_url}).settings
    database = Database(settings.database_url)
    migrate.upgrade(database)
    credential = _credential(database)
    database.close()
    brain = Brain.create(settings, KEYS, Passwords(time_cost=1, memory_kib=64, parallelism=1))
    found = Target(brain, credential)
    logging.getLogger("z4j").addHandler(found.watch)
    try:
        if over_socket:
            async with _listening(brain) as found.url:
                yield found
        else:
            await brain.start()
            yield found
            await brain.stop()
            await brain.close()
    finally:
        logging.getLogger("z4j").removeHandler(found.watch)


@asynccontextmanager
async def _listening(brain: Brain) -> AsyncIterator[str]:
    from z4j_brain.app import create_app
    from z4j_brain.server import listen, serve, url_of

    stop, is_ready = asyncio.Event(), asyncio.Event()

    async def ready() -> None:
        is_ready.set()

    app = create_app(brain, on_ready=ready)
    with listen("127.0.0.1", 0) as listener:
        serving = asyncio.create_task(serve(app, brain, listener, stop))
        await is_ready.wait()
        try:
            yield url_of(listener, "")
        finally:
            stop.set()
            await serving


def _credential(database: Database) -> Credential:
    token_id, secret, now = new_id(), secrets.token_bytes(32), clock.now()
    with database.write() as connection:
        project_id = projects.create(connection, name="shop", now=now).id
        agent_id = agents.create(connection, project_id, "web", now)
        agent_tokens.create(
            connection,
            token_id=token_id,
            agent_id=agent_id,
            secret_hash=KEYS.token_hash(secret),
            now=now,
        )
    key = KEYS.signing_key(project_id, agent_id, token_id)
    return Credential(agent_id, secret, key, KEYS.seal_key(project_id))
