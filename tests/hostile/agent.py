"""A hostile server against a real agent in a host that goes on working."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import msgspec
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hostile.frames import FROM_BRAIN, WELCOME, Step, encoded, frames, steps
from hostile.house import Lamp
from z4j_agent import reasons
from z4j_agent.runtime import Agent
from z4j_agent.settings import Settings
from z4j_agent.testing import new_credential
from z4j_core import frames as wire
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind, TaskEvent
from z4j_core.link import BackOff, Link, LinkError
from z4j_core.plugins import Engine, hook
from z4j_core.signing import Direction, Signer, welcome_key

PATIENCE_S = 60.0
REST_S = 0.02
"""How long a hostile server waits for what the agent makes of it all."""
_SILENT = logging.Logger("hostile", level=logging.CRITICAL + 1)


class Plan(msgspec.Struct, frozen=True):
    """What the server does with one connection. Without a welcome of its own a good one."""

    welcome: Step | None
    steps: list[Step]
    flood: int
    """How many commands with ids of their own, without one acknowledgement."""


plans: st.SearchStrategy[Plan] = st.builds(
    Plan,
    welcome=st.one_of(
        st.none(), st.none(), st.builds(Step, how=st.just("signed"), frame=frames((WELCOME,)))
    ),
    steps=st.lists(steps(FROM_BRAIN), max_size=8),
    flood=st.sampled_from((0, 0, 0, 0, 500)),
)


class Watch(logging.Handler):
    """Collects what would be a defect of the agent."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep errors, tracebacks, and what nobody has thought of."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR or record.exc_info or "Unexpected" in text:
            self.found.append(self.format(record))

    def thread_ended(self, told: threading.ExceptHookArgs) -> None:
        """Keep what ended a thread, as `threading.excepthook`."""
        self.found.append(f"a thread ended: {told.exc_value!r}")


class Target:
    """An agent in this process, whose server plays one plan a connection."""

    def __init__(self) -> None:
        self.credential = new_credential()
        self.watch = Watch()
        self.messages = 0
        self.seen: set[str] = set()
        self.agent: Agent
        self._plans: asyncio.Queue[tuple[Plan | None, asyncio.Event]] = asyncio.Queue()
        self._emitted = 0

    async def play(self, plan: Plan | None) -> list[str]:
        """Let the agent's next connection meet the plan; return what went wrong on its side."""
        self.emit()
        done = asyncio.Event()
        self._plans.put_nowait((plan, done))
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
        found, self.watch.found = self.watch.found, []
        if not any(thread.name == "z4j-agent" for thread in threading.enumerate()):
            found.append("the agent's thread is gone")
        return found

    async def is_well(self) -> bool:
        """Whether a good server gets the host's newest event."""
        task = self.emit()
        await self.play(None)
        return task in self.seen

    def emit(self) -> str:
        """Do what the host does all the time; return the task's id."""
        self._emitted += 1
        task = f"t{self._emitted}"
        event = TaskEvent(kind=Kind.FAILED, engine="lamp", task_id=task, occurred_at=1, name="a")
        self.agent.emit(event)
        return task

    async def meet(self, connection: ServerConnection) -> None:
        """Serve one connection of the agent."""
        asked = asyncio.create_task(self._plans.get())
        gone = asyncio.create_task(connection.wait_closed())
        await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not asked.done():
            asked.cancel()
            return
        plan, done = asked.result()
        try:
            with suppress(ConnectionClosed, LinkError, TimeoutError):
                await self._meet(connection, plan)
        finally:
            connection.transport.abort()
            done.set()

    async def _meet(self, connection: ServerConnection, plan: Plan | None) -> None:
        key = self.credential.signing_key
        link = Link.for_brain(key, secrets.token_bytes(wire.NONCE_BYTES))
        [hello] = link.receive(_binary(await connection.recv()), 1)
        assert isinstance(hello, wire.Hello)
        link.welcome(hello, 0, "shop", "0", 1)
        [welcome] = link.take_outgoing()
        if plan is None:
            await connection.send(welcome)
            await self._be_good(connection, link)
            return
        if plan.welcome is not None:
            signer = Signer(welcome_key(key, hello.nonce), Direction.TO_AGENT)
            welcome = signer.sign(encoded(plan.welcome, MSGPACK, 1, link.nonce))
        await self._send(connection, welcome)
        for number in range(plan.flood):
            command = wire.Command(f"{id(plan)}-{number}", "other", "retry", b"{}")
            await self._send(connection, link._out.sign(MSGPACK.encode(command)))
        for step in plan.steps:
            await self._say(connection, link, step, welcome)
        async with asyncio.timeout(REST_S):
            while True:
                await connection.recv()

    async def _be_good(self, connection: ServerConnection, link: Link) -> None:
        """Acknowledge everything until the newest event of the host is here."""
        link._receiver.is_new = lambda seq: True  # type: ignore[method-assign]
        newest = f"t{self._emitted}"
        async with asyncio.timeout(PATIENCE_S):
            while newest not in self.seen:
                for frame in link.receive(_binary(await connection.recv()), 1):
                    if isinstance(frame, wire.RawEvents):
                        good, _ = MSGPACK.decode_events(frame.events)
                        self.seen |= {event.task_id for event in good}
                    if isinstance(frame, wire.RawEvents | wire.Result | wire.Gap):
                        link.send(wire.Ack(frame.seq), 1)
                for message in link.take_outgoing():
                    await connection.send(message)

    async def _say(
        self, connection: ServerConnection, link: Link, step: Step, before: bytes
    ) -> None:
        if step.how == "text":
            await self._send(connection, step.content.decode())
        elif step.how in ("again", "reflected"):
            await self._send(connection, before)
        else:
            content = encoded(step, MSGPACK, 1, link.nonce)
            is_signed = step.how == "signed"
            await self._send(connection, link._out.sign(content) if is_signed else content)

    async def _send(self, connection: ServerConnection, message: bytes | str) -> None:
        self.messages += 1
        await connection.send(message)


def _binary(message: bytes | str) -> bytes:
    return message if isinstance(message, bytes) else message.encode()


@asynccontextmanager
async def target() -> AsyncIterator[Target]:
    """Start the server and the agent; the agent comes back at once, whatever happens."""
    found = Target()
    kept = BackOff.failed, reasons.LEAST_RETRY_S, reasons.GREATEST_RETRY_S
    BackOff.failed = lambda self, bounds=(): 0.001  # type: ignore[method-assign,assignment]
    reasons.LEAST_RETRY_S = reasons.GREATEST_RETRY_S = 0.01
    logging.getLogger("z4j").addHandler(found.watch)
    threading.excepthook = found.watch.thread_ended
    protocol: Any = [wire.SUBPROTOCOL]
    try:
        async with serve(
            found.meet,
            "127.0.0.1",
            0,
            subprotocols=protocol,
            compression=None,
            max_size=None,
            ping_interval=None,
            logger=_SILENT,
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            found.agent = _agent(f"http://127.0.0.1:{port}", found.credential.token())
            found.agent.start(worker_name="lamp@here")
            yield found
            await asyncio.to_thread(found.agent.stop, 0.5)
            found.agent.unregister()
    finally:
        logging.getLogger("z4j").removeHandler(found.watch)
        threading.excepthook = threading.__excepthook__
        BackOff.failed, reasons.LEAST_RETRY_S, reasons.GREATEST_RETRY_S = kept  # type: ignore[method-assign]


def _agent(url: str, token: str) -> Agent:
    @hook
    def z4j_engine(settings: Any) -> Engine:
        return Lamp()

    module = SimpleNamespace(z4j_engine=z4j_engine)
    point: Any = SimpleNamespace(name="lamp", value="lamp", load=lambda: module)
    environment = {"Z4J_URL": url, "Z4J_TOKEN": token, "Z4J_SPOOL": "off"}
    return Agent(Settings.from_environment(environment), [point])
