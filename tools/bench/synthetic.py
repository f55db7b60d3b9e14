"""Links that send made-up task lives as fast as they are acknowledged."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from z4j_core import frames
from z4j_core.codec import MSGPACK
from z4j_core.credential import Credential
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link, Sender, State

LIFE = (Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED)
PAYLOAD_BYTES = 308
NAMES = tuple(f"shop.tasks.{verb}" for verb in ("send_invoice", "resize", "sync_stock", "notify"))
QUEUES = ("default", "email", "media")
ACK_LIMIT_S = 120.0


def make_events(count: int, at: int) -> list[WireEvent]:
    """Return `count` events: lives of four events each, several lives at once as in a worker."""
    events: list[WireEvent] = []
    for number in range(0, count, 4 * 8):
        lives = [f"{uuid.uuid4()}" for _ in range(8)]
        events += (
            _event(kind, task_id, at + 1_000 * (number + step))
            for step, kind in enumerate(LIFE)
            for task_id in lives
        )
    return events[:count]


def _event(kind: Kind, task_id: str, at: int) -> WireEvent:
    index = int(task_id[:4], 16)
    data: dict[str, object] = {"published_at": at - 500, "pid": 4242}
    if kind is Kind.PUBLISHED:
        data = {
            "args": [index, "2026-11-21", {"currency": "EUR", "total": index / 7}],
            "kwargs": {"customer_id": index, "locale": "en", "notify": True},
            "exact": True,
            "root_id": task_id,
        }
    elif kind is Kind.SUCCEEDED:
        data |= {"run_us": 1_500 + index, "result": {"stored": True, "rows": index}}
    data["note"] = ""
    fill = PAYLOAD_BYTES - len(msgspec.json.encode(data))
    data["note"] = ("the order was checked and sent to the warehouse " * 7)[: max(fill, 0)]
    return WireEvent(
        kind=kind,
        engine="celery",
        task_id=task_id,
        attempt=0,
        occurred_at=at,
        name=NAMES[index % len(NAMES)],
        queue=QUEUES[index % len(QUEUES)],
        payload=msgspec.json.encode(data),
    )


class SyntheticLink:
    """One link with all its events made before it connects."""

    def __init__(
        self, url: str, credential: Credential, worker_id: str, events: list[WireEvent], size: int
    ) -> None:
        self.waits: list[float] = []
        self._url = url
        self._credential = credential
        self._worker_id = worker_id
        self._batches = [events[start : start + size] for start in range(0, len(events), size)]
        self._sender = Sender(MSGPACK.encode)
        self._link = Link.for_agent(
            credential.signing_key, secrets.token_bytes(frames.NONCE_BYTES), self._sender
        )
        self._websocket: ClientConnection | None = None
        self._sent_at: list[float] = []

    async def open(self) -> None:
        """Connect and prove the link."""
        self._websocket = await connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._credential.bearer()}"},
            subprotocols=[MSGPACK.subprotocol],  # type: ignore[list-item]
            compression=None,
            ping_interval=None,
        )
        hello = frames.Hello(
            [1], self._link.nonce, worker_id=self._worker_id, epoch=uuid.uuid4().hex
        )
        self._link.start(hello, 1)
        await self._write()
        while self._link.state is not State.OPEN:
            await self._read()
        self._link.send(frames.Heartbeat(1), 1)
        await self._write()

    async def beat(self) -> None:
        """Send a heartbeat, as an agent does every 30 seconds."""
        self._link.send(frames.Heartbeat(time.time_ns() // 1_000), 1)
        await self._write()

    def load(self) -> None:
        """Make and number all frames now, so that it costs nothing while time is taken."""
        for batch in self._batches:
            self._push(batch)

    async def deliver(self) -> None:
        """Send everything, as far as the window allows, until all is acknowledged."""
        async with asyncio.timeout(ACK_LIMIT_S):
            while self._sender.kept:
                self._link.pump(1)
                await self._write()
                await self._read()

    async def deliver_at(self, frames_per_s: float, phase: float = 0.0) -> None:
        """Send at a steady pace; note for each frame how long its acknowledgement took.

        `phase` (0 to 1) is the part of a frame's time that this link is behind the others.
        """
        loop = asyncio.get_running_loop()
        reading = asyncio.create_task(self._note_acks(len(self._batches)))
        begin = loop.time() + phase / frames_per_s
        for number, batch in enumerate(self._batches):
            await asyncio.sleep(begin + number / frames_per_s - loop.time())
            self._push(batch)
            self._sent_at.append(loop.time())
            self._link.pump(1)
            await self._write()
        async with asyncio.timeout(ACK_LIMIT_S):
            await reading

    async def _note_acks(self, count: int) -> None:
        acknowledged = 0
        while acknowledged < count:
            await self._read()
            position = self._sender.last - self._sender.kept
            now = asyncio.get_running_loop().time()
            self.waits += [now - sent_at for sent_at in self._sent_at[acknowledged:position]]
            acknowledged = position

    def _push(self, batch: list[WireEvent]) -> None:
        self._sender.push(lambda seq: frames.Events(seq, batch))

    async def close(self) -> None:
        """Hang up."""
        if self._websocket is not None:
            await self._websocket.close()

    async def _write(self) -> None:
        assert self._websocket is not None
        for message in self._link.take_outgoing():
            await self._websocket.send(message)

    async def _read(self) -> None:
        assert self._websocket is not None
        message = await self._websocket.recv()
        assert isinstance(message, bytes)
        self._link.receive(message, 1)
