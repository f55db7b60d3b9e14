"""Numbered frames: kept until acknowledged, sent again after a reconnect, taken once.

The pair is the heart of "nothing accepted is lost, nothing is counted twice". The sender outlives
links; the receiver lives as long as one link and begins at the position that was committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from z4j_core.frames import Events, Gap, Result
from z4j_core.link.errors import ADVICE, OUT_OF_ORDER, LinkError

Reliable = Events | Result | Gap


class Sender:
    """The agent's side: numbers frames from 1 and keeps each until it is acknowledged.

    Not thread-safe. `encode` is the codec's; a kept frame is sent again unchanged. `last` is the
    number of the newest frame of a process whose work this one goes on with; `heard` the position
    that the peer's latest welcome told.
    """

    def __init__(self, encode: Callable[[Reliable], bytes], last: int = 0) -> None:
        self._encode = encode
        self._kept: deque[bytes] = deque()
        self._first = last + 1
        self._next_to_send = self._first
        self.kept_bytes = 0
        self.heard: int | None = None

    @property
    def last(self) -> int:
        """The number of the newest frame; 0 before the first."""
        return self._first + len(self._kept) - 1

    @property
    def kept(self) -> int:
        """How many frames wait for their acknowledgement."""
        return len(self._kept)

    @property
    def unsent(self) -> int:
        """How many frames have not been sent on the present link."""
        return self.last - self._next_to_send + 1

    @property
    def in_flight(self) -> int:
        """How many frames have been sent on the present link and are not acknowledged."""
        return self._next_to_send - self._first

    def push(self, make: Callable[[int], Reliable]) -> int:
        """Number, encode and keep the frame that `make(seq)` returns; return its number."""
        return self.restore(self._encode(make(self.last + 1)))

    def restore(self, payload: bytes) -> int:
        """Keep a frame that was numbered and encoded before; return its number."""
        self._kept.append(payload)
        self.kept_bytes += len(payload)
        return self.last

    def resume(self, position: int) -> None:
        """Begin anew on a fresh link whose peer has committed everything up to `position`."""
        self.heard = position
        if position > self.last:
            raise LinkError(OUT_OF_ORDER, "The server acknowledges frames that were never sent.")
        self.acknowledge(position)
        self._next_to_send = self._first

    def acknowledge(self, position: int) -> None:
        """Forget every frame up to `position`; older positions change nothing."""
        if position > self.last:
            raise LinkError(OUT_OF_ORDER, "The server acknowledges frames that were never sent.")
        while self._first <= position:
            self.kept_bytes -= len(self._kept.popleft())
            self._first += 1
        self._next_to_send = max(self._next_to_send, self._first)

    def take_due(self, window: int) -> list[bytes]:
        """Return the next payloads to send, so that at most `window` frames are in flight."""
        count = max(0, min(window - self.in_flight, self.unsent))
        start = self._next_to_send - self._first
        due = [self._kept[start + index] for index in range(count)]
        self._next_to_send += count
        return due


class Receiver:
    """The brain's side of one link. Not thread-safe."""

    def __init__(self, position: int) -> None:
        self.position = position

    def is_new(self, seq: int) -> bool:
        """Tell whether this frame is the next one; False for a repeated one.

        Raise `LinkError` when a number was skipped.
        """
        if seq <= self.position:
            return False
        if seq != self.position + 1:
            raise LinkError(OUT_OF_ORDER, ADVICE[OUT_OF_ORDER])
        self.position = seq
        return True
