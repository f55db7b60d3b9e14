"""What waits to be sent: bounded by bytes, sealed into frames, shed by value, never silent.

Events are kept encoded, so their size is known and nothing that the host changes later matters.
They are sealed as late as possible: only events that are not yet numbered can still be shed, and
the longer a batch waits the fuller it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import NamedTuple, cast

import msgspec

from z4j_agent.losses import Losses
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind
from z4j_core.frames import MAX_EVENTS, Events, RawEvents
from z4j_core.link import Sender

BATCH_BYTES = 64 * 1024
ITEM_OVERHEAD = 160
"""Bytes that an entry costs beside its payload: tuple, bytes header, slot in the queue."""

SHED_FRACTION = 8
"""One eighth of the bound is freed at once, so that the pass over the queue is paid rarely."""

RANK = {Kind.RECEIVED: 0, Kind.STARTED: 0, Kind.PUBLISHED: 1, Kind.SUCCEEDED: 2}
"""What goes first when memory is full; all other kinds tell of a failure and rank highest."""

HIGHEST_RANK = 3
FINISHED = frozenset({Kind.SUCCEEDED, Kind.FAILED, Kind.RETRIED})
FULL = "the outbox was full"


class Pending(NamedTuple):
    """One encoded event that is not yet part of a frame."""

    kind: Kind
    occurred_at: int
    encoded: bytes


class Fill(NamedTuple):
    """The state of an outbox. Sizes in bytes; `oldest_at` in microseconds, 0 when empty."""

    events: int
    bytes: int
    oldest_at: int
    dropped: int
    processed: int


class Outbox:
    """Thread-safe, except that `sender`, `seal` and `settle` belong to the driver's thread.

    The lock is re-entrant, because a signal handler or a finaliser may emit while its own thread
    is inside.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.sender = Sender(MSGPACK.encode)
        self.wake: Callable[[], None] | None = None
        self._limit = limit_bytes
        self._lock = RLock()
        self._pending: deque[Pending] = deque()
        self._bytes = 0
        self._held_bytes = 0
        self._losses: dict[str, Losses] = {}
        self._in_flight: deque[tuple[int, int, int]] = deque()
        self._in_flight_events = 0
        self._dropped = 0
        self._processed = 0

    def append(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        """Take one encoded event; when memory is full the least valuable ones go."""
        with self._lock:
            self._pending.append(Pending(kind, occurred_at, encoded))
            self._bytes += len(encoded) + ITEM_OVERHEAD
            if kind in FINISHED:
                self._processed += 1
            if self._bytes + self._held_bytes > self._limit:
                self._shed()
            wake, self.wake = self.wake, None
        if wake is not None:
            wake()

    def lose(self, reason: str, kind: str, occurred_at: int, count: int = 1) -> None:
        """Count events that never got in."""
        with self._lock:
            self._lose(reason, kind, occurred_at, count)
            wake, self.wake = self.wake, None
        if wake is not None:
            wake()

    def wait(self, wake: Callable[[], None]) -> bool:
        """Ask to be woken once, by `wake`, from any thread; False if something waits already."""
        with self._lock:
            if self._pending or self._losses:
                return False
            self.wake = wake
            return True

    def fill(self) -> Fill:
        """Return the present figures; events in flight are counted."""
        with self._lock:
            waiting = self._in_flight[0][1] if self._in_flight else 0
            if not waiting and self._pending:
                waiting = self._pending[0].occurred_at
            return Fill(
                events=len(self._pending) + self._in_flight_events,
                bytes=self._bytes + self._held_bytes,
                oldest_at=waiting,
                dropped=self._dropped,
                processed=self._processed,
            )

    @property
    def is_drained(self) -> bool:
        """Tell whether everything was sent and acknowledged."""
        return not self.has_pending and not self.sender.kept

    @property
    def has_pending(self) -> bool:
        """Tell whether something waits to be sealed."""
        return bool(self._pending or self._losses)

    def has_room(self, window: int) -> bool:
        """Tell whether one more frame may be made.

        Frames in memory cannot be shed, so they may fill no more than half of it.
        """
        sender = self.sender
        return sender.kept < window and sender.kept_bytes * 2 < self._limit

    def seal(self, window: int, max_events: int = MAX_EVENTS) -> int:
        """Turn what waits into numbered frames, as many as the window has room for.

        Return how many frames were made.
        """
        made = 0
        while self.has_room(window):
            losses = self._take_losses()
            batch = [] if losses else self._take_batch(max_events)
            if losses:
                self.sender.push(losses.gap)
            elif batch:
                self._push(batch)
            else:
                break
            made += 1
        self._held_bytes = self.sender.kept_bytes
        return made

    def settle(self) -> None:
        """Note what was acknowledged since; to be called after an `Ack` or a `Welcome`."""
        acknowledged = self.sender.last - self.sender.kept
        with self._lock:
            self._held_bytes = self.sender.kept_bytes
            while self._in_flight and self._in_flight[0][0] <= acknowledged:
                self._in_flight_events -= self._in_flight.popleft()[2]

    def _push(self, batch: list[Pending]) -> None:
        raw = msgspec.Raw(_array_header(len(batch)) + b"".join([item.encoded for item in batch]))

        def make(seq: int) -> Events:
            # RawEvents has the same tag and encodes to the same bytes; its events are encoded.
            return cast("Events", RawEvents(seq, raw))

        seq = self.sender.push(make)
        with self._lock:
            self._in_flight.append((seq, batch[0].occurred_at, len(batch)))
            self._in_flight_events += len(batch)

    def _take_batch(self, max_events: int) -> list[Pending]:
        batch: list[Pending] = []
        size = 0
        with self._lock:
            pending = self._pending
            while pending and len(batch) < max_events:
                length = len(pending[0].encoded)
                if batch and size + length > BATCH_BYTES:
                    break
                size += length
                batch.append(pending.popleft())
            self._bytes -= size + ITEM_OVERHEAD * len(batch)
        return batch

    def _take_losses(self) -> Losses | None:
        with self._lock:
            if not self._losses:
                return None
            return self._losses.pop(next(iter(self._losses)))

    def _shed(self) -> None:
        """Drop by rank, oldest first, until an eighth of the bound is free."""
        excess = self._bytes + self._held_bytes - self._limit + self._limit // SHED_FRACTION
        # Taken out first: a signal handler that emits meanwhile appends to the new queue.
        waiting, self._pending = self._pending, deque()
        to_free = _plan(waiting, excess)
        kept: deque[Pending] = deque()
        for item in waiting:
            rank = RANK.get(item.kind, HIGHEST_RANK)
            if to_free[rank] <= 0:
                kept.append(item)
                continue
            size = len(item.encoded) + ITEM_OVERHEAD
            to_free[rank] -= size
            self._bytes -= size
            self._lose(FULL, item.kind.value, item.occurred_at)
        kept.extend(self._pending)
        self._pending = kept

    def _lose(self, reason: str, kind: str, occurred_at: int, count: int = 1) -> None:
        self._dropped += count
        losses = self._losses.get(reason)
        if losses is None:
            losses = self._losses[reason] = Losses(reason)
        losses.add(kind, occurred_at, count)


def _plan(waiting: deque[Pending], excess: int) -> list[int]:
    """Return how many bytes each rank has to give."""
    present = [0] * (HIGHEST_RANK + 1)
    for item in waiting:
        present[RANK.get(item.kind, HIGHEST_RANK)] += len(item.encoded) + ITEM_OVERHEAD
    plan = []
    for available in present:
        plan.append(max(0, min(excess, available)))
        excess -= plan[-1]
    return plan


def _array_header(length: int) -> bytes:
    """MessagePack header of an array of up to 65,535 items."""
    return bytes([0x90 | length]) if length < 16 else b"\xdc" + length.to_bytes(2, "big")
