"""A correctly signed client that repeats itself and gets its order wrong on purpose."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from contextlib import suppress

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from faults.truth import Truth
from z4j_core import frames
from z4j_core.codec import MSGPACK
from z4j_core.credential import Credential
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link, LinkError, State
from z4j_core.link.states import Side

PER_FRAME = 5
LIFE = (Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED)


class Ended(msgspec.Struct, frozen=True):
    """How the server ended a connection: WebSocket code and reason."""

    code: int
    reason: str


class Repeater:
    """One worker, whose frames are made here and may be sent again, out of order, or replayed."""

    def __init__(
        self, url: str, credential: Credential, name: str, truth: Truth, payload: bytes = b"{}"
    ) -> None:
        self.epoch = secrets.token_hex(16)
        self._url = f"{url.replace('http', 'ws', 1)}/ws"
        self._credential = credential
        self._name = name
        self._truth = truth
        self._payload = payload
        self._made: dict[int, list[WireEvent]] = {}
        self._socket: ClientConnection | None = None
        self._link: Link | None = None
        self.position = 0
        self.sent: list[bytes] = []

    async def open(self) -> int:
        """Connect; return how far the server says that frames are committed."""
        await self.close()
        self._socket = await connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._credential.bearer()}"},
            subprotocols=[Subprotocol(frames.SUBPROTOCOL)],
            compression=None,
            ping_interval=None,
            open_timeout=20,
            close_timeout=1,
        )
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        # Without a sender: what is sent again, and when, is up to the caller.
        self._link = Link(Side.AGENT, self._credential.signing_key, nonce, None, MSGPACK)
        self._link.start(frames.Hello([1], nonce, self._name, self.epoch), 1)
        await self._flush()
        while self._link.state is not State.OPEN:
            await self._take()
        return self.position

    async def open_at(self, position: int) -> None:
        """Connect until so much is committed; raise `TimeoutError` after a minute."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if await self.open() >= position:
                return
            await asyncio.sleep(0.01)
        raise TimeoutError(f"{position} frames were not committed within 60 s")

    async def send(self, seq: int) -> None:
        """Send one frame; the same number is always the same frame."""
        assert self._link is not None
        events = self._made.get(seq) or self._make(seq)
        payload = MSGPACK.encode(frames.Events(seq, events))
        self._link._outgoing.append(self._link._out.sign(payload))
        await self._flush()

    async def replay(self, message: bytes) -> None:
        """Send the very bytes of an earlier message."""
        assert self._socket is not None
        await self._socket.send(message)

    async def wait_for_ack(self, position: int) -> None:
        """Read until this much is acknowledged."""
        async with asyncio.timeout(60):
            while self.position < position:
                await self._take()

    async def wait_for_end(self) -> Ended:
        """Read until the server ends the connection; return how it did."""
        assert self._socket is not None
        async with asyncio.timeout(60):
            with suppress(ConnectionClosed, LinkError):
                while True:
                    await self._take()
            await self._socket.wait_closed()
        return Ended(self._socket.close_code or 0, self._socket.close_reason or "")

    async def close(self) -> None:
        """Hang up without a goodbye."""
        if self._socket is not None:
            self._socket.transport.abort()
            await self._socket.wait_closed()
            self._socket = None

    def accept(self, up_to: int) -> None:
        """Tell the truth: the frames up to this one are there to stay."""
        for seq, events in self._made.items():
            if seq <= up_to:
                for event in events:
                    self._truth.accepted[event.kind.value, event.task_id, 0] = 0

    def _make(self, seq: int) -> list[WireEvent]:
        self._made[seq] = events = []
        for number in range(PER_FRAME * (seq - 1), PER_FRAME * seq):
            kind = LIFE[number % len(LIFE)]
            task_id = f"{self._name}-{number // len(LIFE)}"
            at = time.time_ns() // 1_000
            self._truth.tried.add((kind.value, task_id, 0))
            events.append(WireEvent(kind, "toy", task_id, 0, at, "toy.rep", "toys", self._payload))
        return events

    async def _flush(self) -> None:
        assert self._socket is not None
        assert self._link is not None
        for message in self._link.take_outgoing():
            self.sent.append(message)
            await self._socket.send(message)

    async def _take(self) -> None:
        assert self._socket is not None
        assert self._link is not None
        message = await self._socket.recv()
        assert isinstance(message, bytes)
        for frame in self._link.receive(message, 1):
            if isinstance(frame, frames.Ack | frames.Welcome):
                self.position = frame.position


async def misbehave(repeater: Repeater, frames_in_all: int = 12) -> None:
    """Deliver all frames: twice on one link, with a hole, replayed, and again on a new link.

    Meets other faults: connects as often as it takes, for at most 150 s.
    """
    deadline = time.monotonic() + 150
    tricks = itertools.chain((_send_twice, _leave_a_hole, _replay), itertools.repeat(_send_all))
    while repeater.position < frames_in_all:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {repeater.position} frames were taken")
        with suppress(OSError, WebSocketException, LinkError, TimeoutError):
            position = await repeater.open()
            await next(tricks)(repeater, position, frames_in_all)
        await asyncio.sleep(0.05)
    await repeater.close()
    repeater.accept(frames_in_all)


async def _send_twice(repeater: Repeater, position: int, _last: int) -> None:
    for seq in (position + 1, position + 2, position + 1, position + 2, position + 2):
        await repeater.send(seq)
    await repeater.wait_for_ack(position + 2)


async def _leave_a_hole(repeater: Repeater, position: int, _last: int) -> None:
    await repeater.send(position + 1)
    await repeater.send(position + 3)
    await repeater.wait_for_end()


async def _replay(repeater: Repeater, position: int, _last: int) -> None:
    await repeater.send(position + 1)
    await repeater.replay(repeater.sent[-1])
    await repeater.wait_for_end()


async def _send_all(repeater: Repeater, position: int, last: int) -> None:
    for seq in range(max(1, position - 1), last + 1):
        await repeater.send(seq)
    await repeater.wait_for_ack(last)
