"""Real Hypercorn, a real WebSocket client around the agent's side of the link, real databases."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket

from z4j_brain.auth.rate_limits import RateLimits
from z4j_brain.ingest.writer import Writer
from z4j_brain.keys import Keys
from z4j_brain.link.gateway import Gateway
from z4j_brain.link.registry import LocalRegistry
from z4j_brain.live.changes import Changes
from z4j_brain.store import agent_tokens, agents, projects
from z4j_brain.store.database import Database
from z4j_brain.store.types import new_id
from z4j_core import frames
from z4j_core.codec import MSGPACK, Codec
from z4j_core.credential import Credential
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link, Sender, State
from z4j_core.signing import MAC_BYTES

NOON = 1_700_000_000_000_000


class RecordingFeed:
    def __init__(self) -> None:
        self.published: list[tuple[uuid.UUID, int, Changes]] = []

    def publish(self, project_id: uuid.UUID, offset: int, changes: Changes) -> None:
        self.published.append((project_id, offset, changes))


class RecordingCommands:
    def __init__(self) -> None:
        self.opened: list[uuid.UUID] = []

    async def link_opened(self, worker_row: uuid.UUID) -> None:
        self.opened.append(worker_row)


class RecordingQueues:
    """Stands for the care of queues, and for that of schedules."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, uuid.UUID, Any]] = []

    def told(self, worker_row: uuid.UUID, project_id: uuid.UUID, told: Any) -> None:
        self.calls.append(("told", worker_row, told))

    def sampled(self, worker_row: uuid.UUID, project_id: uuid.UUID, depths: frames.Depths) -> None:
        self.calls.append(("sampled", worker_row, depths))

    def read(
        self, worker_row: uuid.UUID, project_id: uuid.UUID, schedules: frames.Schedules
    ) -> None:
        self.calls.append(("read", worker_row, schedules))

    def link_ended(self, worker_row: uuid.UUID) -> None:
        self.calls.append(("ended", worker_row, None))


@dataclasses.dataclass
class Parts:
    """A brain of its link parts only."""

    database: Database
    keys: Keys
    limits: RateLimits
    hub: RecordingFeed
    registry: LocalRegistry
    writer: Writer
    commands: RecordingCommands
    queues: RecordingQueues
    schedules: RecordingQueues
    replica: str


class House:
    """A record with one project and one agent's token, and a server for it."""

    def __init__(self, record_url: str, keys: Keys | None = None) -> None:
        """Make the project; `keys` are those of the server."""
        self.database = Database(record_url)
        self.keys = keys or Keys(secrets.token_bytes(32), secrets.token_bytes(32))
        with self.database.write() as connection:
            self.project_id = projects.create(connection, name="shop", now=NOON).id
            self.agent_id = agents.create(connection, self.project_id, "web", NOON)
        self.token_id, self.credential = self.mint()

    def mint(self) -> tuple[uuid.UUID, Credential]:
        token_id, secret = new_id(), secrets.token_bytes(32)
        with self.database.write() as connection:
            agent_tokens.create(
                connection,
                token_id=token_id,
                agent_id=self.agent_id,
                secret_hash=self.keys.token_hash(secret),
                now=NOON,
            )
        key = self.keys.signing_key(self.project_id, self.agent_id, token_id)
        seal = self.keys.seal_key(self.project_id)
        return token_id, Credential(self.agent_id, secret, key, seal)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Served]:
        hub, registry = RecordingFeed(), LocalRegistry()
        writer = Writer(self.database, hub, replica=secrets.token_hex(4))
        commands, queues = RecordingCommands(), RecordingQueues()
        limits = RateLimits(self.database, self.keys, key_requests_per_minute=0)
        parts = Parts(
            self.database,
            self.keys,
            limits,
            hub,
            registry,
            writer,
            commands,
            queues,
            RecordingQueues(),
            "replica",
        )
        gateway = Gateway(parts)
        config = Config()
        config.bind = ["127.0.0.1:0"]
        config.errorlog = None
        config.websocket_max_message_size = frames.MAX_FRAME_BYTES + MAC_BYTES
        sockets = config.create_sockets()
        config.create_sockets = lambda: sockets  # type: ignore[method-assign]
        app = Starlette(routes=[WebSocketRoute("/ws", gateway.endpoint)])
        stop = asyncio.Event()
        await writer.start()
        await gateway.start()
        serving = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type]
        sockets.insecure_sockets[0].listen()  # so that clients may come before it serves
        port = sockets.insecure_sockets[0].getsockname()[1]
        served = Served(self, parts, gateway, f"ws://127.0.0.1:{port}/ws")
        try:
            yield served
        finally:
            for agent in served.agents:
                await agent.cut()
            await gateway.stop()
            stop.set()
            await serving
            await writer.stop()

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def count(self, table: Any) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@dataclasses.dataclass
class Served:
    """The running server of a house."""

    house: House
    parts: Parts
    gateway: Gateway
    url: str
    agents: list[WireAgent] = dataclasses.field(default_factory=list)

    def agent(self, worker_id: str = "w1", **options: Any) -> WireAgent:
        options.setdefault("credential", self.house.credential)
        agent = WireAgent(self.url, worker_id=worker_id, **options)
        self.agents.append(agent)
        return agent


class WireAgent:
    """An agent's side on a real socket; its sender outlives every connection."""

    def __init__(
        self,
        url: str,
        credential: Credential,
        *,
        worker_id: str = "w1",
        epoch: str | None = None,
        codec: Codec = MSGPACK,
        sender: Sender | None = None,
    ) -> None:
        self.url = url
        self.credential = credential
        self.codec = codec
        self.worker_id = worker_id
        self.epoch = epoch or uuid.uuid4().hex
        self.sender = sender or Sender(codec.encode)
        self.received: list[Any] = []
        self.websocket: ClientConnection | None = None
        self.link = self._new_link()

    async def open(self, headers: dict[str, str] | None = None, **options: Any) -> None:
        """Open the WebSocket without saying anything."""
        self.link = self._new_link()
        options.setdefault("subprotocols", [self.codec.subprotocol])
        self.websocket = await open_websocket(
            self.url,
            additional_headers=headers or {"Authorization": f"Bearer {self.credential.bearer()}"},
            ping_interval=None,
            max_size=None,
            open_timeout=60,
            **options,
        )

    async def connect(self, **options: Any) -> None:
        """Open, greet, prove."""
        await self.open(**options)
        await self.greet()
        await self.until(lambda: self.link.state is State.OPEN)
        self.link.send(frames.Heartbeat(1), 1)
        await self.flush()

    async def greet(self, **fields: Any) -> None:
        values = {
            "versions": [1],
            "nonce": self.link.nonce,
            "worker_id": self.worker_id,
            "epoch": self.epoch,
            "host": "localhost",
            "pid": 42,
        }
        self.link.start(frames.Hello(**(values | fields)), 1)
        await self.flush()

    def push(self, *events: WireEvent) -> int:
        return self.sender.push(lambda seq: frames.Events(seq, list(events)))

    async def flush(self) -> None:
        assert self.websocket is not None
        self.link.pump(1)
        for message in self.link.take_outgoing():
            await self.websocket.send(message)

    async def receive(self) -> Any:
        assert self.websocket is not None
        message = await self.websocket.recv()
        assert isinstance(message, bytes)
        found = self.link.receive(message, 1)
        self.received.extend(found)
        return found

    async def until(self, is_done: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not is_done():
                await self.receive()

    async def deliver(self) -> None:
        """Send everything and wait until all of it is acknowledged."""
        async with asyncio.timeout(60):
            while self.sender.kept:
                await self.flush()
                await self.receive()

    async def closed(self) -> tuple[int | None, str]:
        """Read on until the server closes; return code and reason."""
        assert self.websocket is not None
        with suppress(Exception):
            async with asyncio.timeout(60):
                while True:
                    await self.receive()
        await self.websocket.wait_closed()
        return self.websocket.close_code, self.websocket.close_reason or ""

    async def cut(self) -> None:
        """Tear the connection, as a broken network does."""
        if self.websocket is not None:
            self.websocket.transport.abort()
            await self.websocket.wait_closed()

    def _new_link(self) -> Link:
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        return Link.for_agent(self.credential.signing_key, nonce, self.sender, self.codec)


def make_event(task_id: str = "t1", kind: Kind = Kind.STARTED, **fields: Any) -> WireEvent:
    payload = fields.pop("payload", {})
    values = {
        "kind": kind,
        "engine": "celery",
        "task_id": task_id,
        "attempt": 0,
        "occurred_at": NOON,
        "name": "app.send",
        "queue": "email",
        "payload": payload if isinstance(payload, bytes) else msgspec.json.encode(payload),
    }
    return WireEvent(**(values | fields))


async def eventually(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not is_true():  # noqa: ASYNC110 - a database has no event to wait for
            await asyncio.sleep(0.02)


@pytest.fixture
def house(record_url: str) -> Iterator[House]:
    house = House(record_url)
    yield house
    house.database.close()


@pytest.fixture
def play(house: House) -> Callable[[Callable[[Served], Awaitable[None]]], None]:
    """Run a scenario against a server of the house."""

    def run(scenario: Callable[[Served], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with house.serve() as served:
                await scenario(served)

        asyncio.run(whole())

    return run


@pytest.fixture
def make_house() -> type[House]:
    """For a test whose server is a process of its own."""
    return House


@pytest.fixture
def make_agent() -> type[WireAgent]:
    """For a test whose server is a process of its own."""
    return WireAgent


@pytest.fixture
def make() -> Callable[..., WireEvent]:
    """The function that makes an event."""
    return make_event


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], Coroutine[Any, Any, None]]:
    return eventually
