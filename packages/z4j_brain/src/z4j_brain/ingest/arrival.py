"""A reliable frame as it came over a link, on its way to the writer."""

from __future__ import annotations

from typing import Protocol

import msgspec

from z4j_brain.store.ingest_batch import Origin
from z4j_core.codec import Codec, FrameError
from z4j_core.events import WireEvent
from z4j_core.frames import Gap, RawEvents, Result

Reliable = RawEvents | Result | Gap


class Source(Protocol):
    """The link that a frame came over. Both methods are called on the event loop only."""

    def acknowledge(self, position: int) -> None:
        """Tell the agent that everything up to `position` is committed."""

    def refuse(self, code: str, detail: str) -> None:
        """End the link: its frames cannot be stored."""


class Arrival(msgspec.Struct, kw_only=True):
    """One numbered frame, decoded; `size` is its length in bytes as received.

    `queued_at_s` is the monotonic time at which the writer's queue took it.
    """

    source: Source
    origin: Origin
    worker_id: str
    seq: int
    size: int
    queued_at_s: float = 0.0
    events: list[WireEvent] = []
    undecodable: list[str] = []
    result: Result | None = None
    gap: Gap | None = None

    @property
    def weight(self) -> int:
        """How many entries of a batch this frame makes, at least one."""
        return len(self.events) + len(self.undecodable) or 1


def arrival(
    frame: Reliable, codec: Codec, source: Source, origin: Origin, worker_id: str, size: int
) -> Arrival:
    """Decode what a reliable frame carries; a batch that is none is noted, never raised."""
    arrived = Arrival(source=source, origin=origin, worker_id=worker_id, seq=frame.seq, size=size)
    if isinstance(frame, RawEvents):
        try:
            arrived.events, arrived.undecodable = codec.decode_events(frame.events)
        except FrameError as error:
            arrived.undecodable = [f"the whole batch: {error}"]
    elif isinstance(frame, Result):
        arrived.result = frame
    else:
        arrived.gap = frame
    return arrived
