"""A real server on a loopback port, with a signed-in reader and an agent on a real link."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from z4j_brain import clock
from z4j_brain.app import create_app
from z4j_brain.auth.passwords import Passwords
from z4j_brain.brain import Brain
from z4j_brain.keys import Keys
from z4j_brain.server import listen, serve, url_of
from z4j_brain.settings import load
from z4j_brain.store import agent_tokens, agents, projects, sessions, users
from z4j_brain.store.database import Database
from z4j_brain.store.types import new_id
from z4j_core import frames
from z4j_core.codec import MSGPACK
from z4j_core.credential import Credential
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link, Sender, State

HOUR = 3_600_000_000
KEYS = Keys(b"m" * 40, b"s" * 40)


@dataclass
class Served:
    """A running server, one project, and what it takes to come in."""

    brain: Brain
    url: str
    project_id: uuid.UUID
    agent_id: uuid.UUID
    stop: asyncio.Event

    def session(self, role: str | None = "viewer", *, is_admin: bool = False) -> str:
        """Sign somebody in; return the cookie's token."""
        token, now = secrets.token_urlsafe(32), clock.now()
        with self.brain.database.write() as connection:
            user = users.create(
                connection,
                email=f"{token[:12]}@example.org",
                name="Ada",
                password_hash="-",
                is_admin=is_admin,
                now=now,
            )
            if role is not None:
                users.set_role(connection, self.project_id, user.id, role)
            sessions.create(
                connection,
                token_hash=KEYS.session_hash(token),
                user_id=user.id,
                now=now,
                expires_at=now + HOUR,
                address=None,
                user_agent=None,
            )
        return token

    @asynccontextmanager
    async def reader(
        self, token: str | None = None, *, origin: str | None = None, **subscribe: Any
    ) -> AsyncIterator[Reader]:
        """Open the live feed; `subscribe` overrides fields of the first message."""
        headers = {"Cookie": f"z4j_session={token or self.session()}"}
        address = self.url.replace("http", "ws", 1) + "/ws/dashboard"
        async with connect(
            address, additional_headers=headers, origin=origin or self.url, max_size=None
        ) as socket:
            reader = Reader(socket)
            if subscribe.get("type") != "nothing":
                first = {"type": "subscribe", "project": "shop"} | subscribe
                await socket.send(json.dumps(first))
            yield reader

    async def call(
        self, token: str, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        """Ask the API as the dashboard does; return the status and the decoded body."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/projects/shop{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "Cookie": f"z4j_session={token}",
                "Origin": self.url,
                "X-CSRF-Token": KEYS.csrf_token(token),
                "Content-Type": "application/json",
            }
            | headers,
            method=method,
        )

        def send() -> Any:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.load(error)

        return await asyncio.to_thread(send)


class Reader:
    """A dashboard's side of the live feed."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self) -> Any:
        """Return the next message but ticks."""
        async with asyncio.timeout(60):
            while True:
                message = json.loads(await self.socket.recv())
                if message["type"] != "tick":
                    return message

    async def until(self, is_it: Callable[[Any], object]) -> Any:
        """Return the first message that is it."""
        while True:
            message = await self.next()
            if is_it(message):
                return message

    async def closed(self) -> int | None:
        """Wait for the server to close; return the code."""
        async with asyncio.timeout(60):
            await self.socket.wait_closed()
        return self.socket.close_code


class LinkedAgent:
    """An agent's side of a link, which answers commands as the test says."""

    def __init__(self, served: Served, worker_id: str = "w1") -> None:
        self._served = served
        self._worker_id = worker_id
        self._epoch = uuid.uuid4().hex
        self._sender = Sender(MSGPACK.encode)
        token_id, secret = new_id(), secrets.token_bytes(32)
        with served.brain.database.write() as connection:
            agent_tokens.create(
                connection,
                token_id=token_id,
                agent_id=served.agent_id,
                secret_hash=KEYS.token_hash(secret),
                now=clock.now(),
            )
        self._credential = Credential(
            served.agent_id,
            secret,
            KEYS.signing_key(served.project_id, served.agent_id, token_id),
            KEYS.seal_key(served.project_id),
        )
        self._commands: asyncio.Queue[frames.Command] = asyncio.Queue()
        self._watches: asyncio.Queue[frames.Watch] = asyncio.Queue()
        self._readings: asyncio.Queue[frames.WatchSchedules] = asyncio.Queue()

    @asynccontextmanager
    async def connected(
        self,
        engines: list[frames.EngineInfo],
        schedulers: Sequence[frames.SchedulerInfo] = (),
    ) -> AsyncIterator[LinkedAgent]:
        """Greet, prove, and read in the background."""
        link = Link.for_agent(
            self._credential.signing_key,
            secrets.token_bytes(frames.NONCE_BYTES),
            self._sender,
            MSGPACK,
        )
        async with connect(
            self._served.url.replace("http", "ws", 1) + "/ws",
            additional_headers={"Authorization": f"Bearer {self._credential.bearer()}"},
            subprotocols=[MSGPACK.subprotocol],  # type: ignore[list-item]
        ) as socket:
            self._link, self._socket = link, socket
            hello = frames.Hello(
                [1],
                link.nonce,
                self._worker_id,
                self._epoch,
                engines=engines,
                schedulers=list(schedulers),
            )
            link.start(hello, clock.now())
            await self._flush()
            while link.state is not State.OPEN:
                link.receive(await self._receive(), clock.now())
            link.send(frames.Heartbeat(clock.now()), clock.now())
            await self._flush()
            reading = asyncio.create_task(self._read())
            try:
                yield self
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def command(self) -> frames.Command:
        """Wait for the next command."""
        async with asyncio.timeout(60):
            return await self._commands.get()

    async def watch(self) -> frames.Watch:
        """Wait for the next word on which queues to sample."""
        async with asyncio.timeout(60):
            return await self._watches.get()

    async def reading(self) -> frames.WatchSchedules:
        """Wait for the next word on which schedules to read."""
        async with asyncio.timeout(60):
            return await self._readings.get()

    async def send(self, *sent: frames.Queues | frames.Depths | frames.Schedules) -> None:
        """Send frames that are not numbered."""
        for frame in sent:
            self._link.send(frame, clock.now())
        await self._flush()

    async def answer(self, command: frames.Command, *, ok: bool = True, **fields: Any) -> None:
        """Send a result."""
        self._sender.push(lambda seq: frames.Result(seq, command.id, ok, **fields))
        await self._flush()

    async def tell(self, *events: WireEvent) -> None:
        """Send events."""
        self._sender.push(lambda seq: frames.Events(seq, list(events)))
        await self._flush()

    async def _read(self) -> None:
        while True:
            for frame in self._link.receive(await self._receive(), clock.now()):
                if isinstance(frame, frames.Command):
                    self._commands.put_nowait(frame)
                elif isinstance(frame, frames.Watch):
                    self._watches.put_nowait(frame)
                elif isinstance(frame, frames.WatchSchedules):
                    self._readings.put_nowait(frame)

    async def _receive(self) -> bytes:
        message = await self._socket.recv()
        assert isinstance(message, bytes)
        return message

    async def _flush(self) -> None:
        self._link.pump(clock.now())
        for message in self._link.take_outgoing():
            await self._socket.send(message)


@asynccontextmanager
async def serving(record_url: str, home: Path, **more: str) -> AsyncIterator[Served]:
    named = {f"Z4J_{name.upper()}": value for name, value in more.items()}
    settings = load({"Z4J_HOME": str(home), "Z4J_DATABASE_URL": record_url} | named).settings
    database = Database(record_url)
    with database.write() as connection:
        project_id = projects.create(connection, name="shop", now=clock.now()).id
        agent_id = agents.create(connection, project_id, "web", clock.now())
    database.close()
    brain = Brain.create(settings, KEYS, Passwords(time_cost=1, memory_kib=64, parallelism=1))
    stop, is_ready = asyncio.Event(), asyncio.Event()

    async def ready() -> None:
        is_ready.set()

    app = create_app(brain, on_ready=ready)
    with listen("127.0.0.1", 0) as listener:
        running = asyncio.create_task(serve(app, brain, listener, stop))
        await is_ready.wait()
        try:
            yield Served(brain, url_of(listener, ""), project_id, agent_id, stop)
        finally:
            stop.set()
            await running


Scenario = Callable[[Served], Awaitable[None]]


@pytest.fixture
def play(record_url: str, tmp_path: Path) -> Callable[..., None]:
    """Run a scenario against a server: `play(scenario, log_level="debug")`."""

    def run(scenario: Scenario, **settings: str) -> None:
        async def whole() -> None:
            async with serving(record_url, tmp_path / "home", **settings) as served:
                await scenario(served)

        asyncio.run(whole())

    return run


@pytest.fixture
def agent() -> type[LinkedAgent]:
    return LinkedAgent


@pytest.fixture
def event() -> Callable[..., WireEvent]:
    """The function that makes an event which happens now."""

    def make(task_id: str, kind: Kind = Kind.STARTED, **fields: Any) -> WireEvent:
        values = {
            "kind": kind,
            "engine": "celery",
            "task_id": task_id,
            "attempt": 0,
            "occurred_at": clock.now(),
            "name": "app.send",
            "queue": "email",
            "payload": msgspec.json.encode(fields.pop("data", {})),
        }
        return WireEvent(**(values | fields))

    return make
