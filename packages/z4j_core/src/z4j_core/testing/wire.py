"""Both ends of the link joined by a wire in memory, which a test may cut at any message.

`MemoryBrain` commits the way the real one does: content and position change together, and only
then is the acknowledgement sent.
"""

from __future__ import annotations

import uuid

import msgspec

from z4j_core import frames
from z4j_core.codec import MSGPACK, Codec
from z4j_core.events import WireEvent
from z4j_core.link import CloseReason, Link, LinkError, Sender

SIGNING_KEY = bytes(range(32))


class MemoryBrain:
    """A brain without a database: what it committed survives `restart`."""

    def __init__(self, codec: Codec = MSGPACK, signing_key: bytes = SIGNING_KEY) -> None:
        self.codec = codec
        self.signing_key = signing_key
        self.committed: dict[str, int] = {}
        self.events: list[WireEvent] = []
        self.results: list[frames.Result] = []
        self.gaps: list[frames.Gap] = []
        self.hello: frames.Hello | None = None
        self.link = self._new_link()
        self._waiting: list[frames.AnyFrame] = []

    def restart(self) -> None:
        """Lose everything that was not committed, as `kill -9` does."""
        self._waiting.clear()
        self.link = self._new_link()

    def receive(self, message: bytes, now: int) -> None:
        """Take one message; what it carries waits for `commit`."""
        for frame in self.link.receive(message, now):
            if isinstance(frame, frames.Hello):
                self.hello = frame
                self._waiting.clear()
                position = self.committed.get(frame.epoch, 0)
                self.link.welcome(frame, position, "test", "0", now)
            elif isinstance(frame, frames.RawEvents | frames.Result | frames.Gap):
                self._waiting.append(frame)

    def commit(self, now: int) -> None:
        """Store what waits together with the position, then acknowledge."""
        if self.hello is None or not self._waiting:
            return
        for frame in self._waiting:
            self._store(frame)
        last = self._waiting[-1]
        self._waiting.clear()
        if isinstance(last, frames.RawEvents | frames.Result | frames.Gap):
            self.committed[self.hello.epoch] = last.seq
            self.link.send(frames.Ack(last.seq), now)

    def _store(self, frame: frames.AnyFrame) -> None:
        if isinstance(frame, frames.RawEvents):
            good, _bad = self.codec.decode_events(frame.events)
            self.events.extend(good)
        elif isinstance(frame, frames.Result):
            self.results.append(frame)
        elif isinstance(frame, frames.Gap):
            self.gaps.append(frame)

    def _new_link(self) -> Link:
        return Link.for_brain(self.signing_key, uuid.uuid4().bytes, self.codec)


class MemoryAgent:
    """An agent without a process: its sender survives every reconnect."""

    def __init__(self, codec: Codec = MSGPACK, signing_key: bytes = SIGNING_KEY) -> None:
        self.codec = codec
        self.signing_key = signing_key
        self.sender = Sender(codec.encode)
        self.epoch = uuid.uuid4().hex
        self.received: list[frames.Command] = []
        self.closed: CloseReason | None = None
        self.link = self._new_link()

    def connect(self, now: int) -> None:
        """Begin a new link; the old one is forgotten."""
        self.link = self._new_link()
        hello = frames.Hello([1], self.link.nonce, worker_id="w", epoch=self.epoch)
        self.link.start(hello, now)

    def receive(self, message: bytes, now: int) -> None:
        """Take one message of the brain."""
        for frame in self.link.receive(message, now):
            if isinstance(frame, frames.Welcome):
                self.link.send(frames.Heartbeat(now), now)
            elif isinstance(frame, frames.Command):
                self.received.append(frame)
        self.closed = self.link.close_reason

    def send_events(self, *events: WireEvent) -> int:
        """Hand one batch to the sender; return its number."""
        return self.sender.push(lambda seq: frames.Events(seq, list(events)))

    def _new_link(self) -> Link:
        return Link.for_agent(self.signing_key, uuid.uuid4().bytes, self.sender, self.codec)


class Delivered(msgspec.Struct):
    """How many messages a call of `exchange` carried in each direction."""

    to_brain: int = 0
    to_agent: int = 0


def connect(agent: MemoryAgent, brain: MemoryBrain, now: int = 1) -> None:
    """Begin a new link on both sides and finish its handshake."""
    brain.restart()
    agent.connect(now)
    exchange(agent, brain, now)


def exchange(
    agent: MemoryAgent, brain: MemoryBrain, now: int, limit: int | None = None
) -> Delivered:
    """Carry messages until both sides are quiet, or cut after `limit` messages.

    Raise `LinkError` as the side that found the fault does.
    """
    delivered = Delivered()
    while limit is None or delivered.to_brain + delivered.to_agent < limit:
        agent.link.pump(now)
        outgoing = agent.link.take_outgoing()
        incoming = brain.link.take_outgoing()
        if not outgoing and not incoming:
            break
        for message in outgoing:
            brain.receive(message, now)
            delivered.to_brain += 1
        for message in incoming:
            agent.receive(message, now)
            delivered.to_agent += 1
    return delivered


__all__ = [
    "SIGNING_KEY",
    "Delivered",
    "LinkError",
    "MemoryAgent",
    "MemoryBrain",
    "connect",
    "exchange",
]
