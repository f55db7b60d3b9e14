"""What is on its way to the server: the backlog, sealed into numbered frames until acknowledged.

Events are sealed as late as possible: only those that are not yet numbered can still be shed, and
the longer a batch waits the fuller it is.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

import msgspec

from z4j_agent.backlog import Backlog, Pending, encoded_of
from z4j_agent.losses import Losses
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.records import Header, Loss
from z4j_core.codec import MSGPACK
from z4j_core.frames import MAX_EVENTS, Events, RawEvents, Result
from z4j_core.link import Sender


class Fill(NamedTuple):
    """The state of an outbox. Sizes in bytes; `oldest_at` in microseconds, 0 when empty."""

    events: int
    bytes: int
    oldest_at: int
    dropped: int
    processed: int


class Outbox(Backlog):
    """Thread-safe, except that `sender`, `seal` and `settle` belong to the driver's thread."""

    def __init__(self, limit_bytes: int, sender: Sender | None = None) -> None:
        super().__init__(limit_bytes)
        self.sender = sender or Sender(MSGPACK.encode)
        self._in_flight: deque[tuple[int, int, int, int]] = deque()
        self._in_flight_events = 0
        self._settled = 0

    def fill(self) -> Fill:
        """Return the present figures; events in flight are counted."""
        with self._lock:
            waiting = self._in_flight[0][1] if self._in_flight else 0
            if not waiting and self._pending:
                waiting = self._pending[0].occurred_at
            return Fill(
                events=len(self._pending) + self._in_flight_events + self._in_files,
                bytes=self._bytes + self._limit - self._room,
                oldest_at=waiting,
                dropped=self._dropped,
                processed=self._processed,
            )

    @property
    def is_drained(self) -> bool:
        """Tell whether everything was sent and acknowledged."""
        return not self.has_pending and not self.sender.kept

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
            if not self._push_gap():
                batch = self._take_batch(max_events)
                if not batch:
                    break
                self._push(batch)
            made += 1
        self._room = self._limit - self.sender.kept_bytes
        return made

    def settle(self) -> None:
        """Note what was acknowledged since; to be called after an `Ack` or a `Welcome`."""
        acknowledged = self.sender.last - self.sender.kept
        with self._lock:
            self._room = self._limit - self.sender.kept_bytes
            while self._in_flight and self._in_flight[0][0] <= acknowledged:
                _, _, count, number = self._in_flight.popleft()
                self._in_flight_events -= count
                self._settled = max(self._settled, number)
            if self._journal is not None:
                self._record(lambda journal: journal.settle(acknowledged, self._settled))

    def push(self, make: Callable[[int], Result]) -> int:
        """Number and keep a result; return its number. Driver's thread only."""
        frame = make(self.sender.last + 1)
        with self._lock:
            self._record(lambda journal: journal.frame(frame.seq, MSGPACK.encode(frame)))
            return self.sender.push(lambda _: frame)

    def write_to(self, journal: Journal) -> None:
        """Keep everything in this new spool from now on, beginning with what waits already.

        Raise `OSError`, and go on as before, when that fails.
        """
        with self._lock:
            numbered: deque[Pending] = deque()
            try:
                journal.begin(Header(journal.identity, self.sender.last, 1, self.losses()))
                while self._pending:
                    self._pending[0].number = journal.append(self._pending[0].encoded)
                    numbered.append(self._pending.popleft())
            except OSError:
                self._pending.extendleft(reversed(numbered))
                journal.delete()
                raise
            self._pending, self._journal, self._settled = numbered, journal, 0

    def go_on_with(self, journal: Journal) -> None:
        """Go on with the spool of a dead process, of which the rest was restored."""
        self._journal = journal

    def restore(self, frames: list[tuple[bytes, int, int]], losses: list[Loss]) -> None:
        """Take over a dead process's frames, each with its number of events and its last one."""
        with self._lock:
            for payload, count, number in frames:
                self._in_flight.append((self.sender.restore(payload), 0, count, number))
                self._in_flight_events += count
            for loss in losses:
                self._losses.setdefault(loss.reason, Losses(loss.reason)).add_all(loss)

    def leave(self) -> None:
        """Forget the spool: delete it when all was acknowledged, else let another adopt it."""
        with self._lock:
            is_drained = self.is_drained  # asked while the tail in the files still counts
            journal, self._journal = self._journal, None
            if journal is None:
                return
            if is_drained:
                journal.delete()
            else:
                with contextlib.suppress(OSError):  # what cannot be moved stays for the adopter
                    journal.flush()
                journal.let_go()

    def _push(self, batch: list[Pending]) -> None:
        raw = msgspec.Raw(array_header(len(batch)) + b"".join(map(encoded_of, batch)))

        def make(seq: int) -> Events:
            # RawEvents has the same tag and encodes to the same bytes; its events are encoded.
            return cast("Events", RawEvents(seq, raw))

        seq, first, last = self.sender.last + 1, batch[0].number, batch[-1].number
        with self._lock:
            self._record(lambda journal: journal.seal(seq, first, last))
            self._in_flight.append((seq, batch[0].occurred_at, len(batch), last))
            self._in_flight_events += len(batch)
            self.sender.push(make)

    def _push_gap(self) -> bool:
        """Seal the losses of one reason, if there are any."""
        with self._lock:
            if not self._losses:
                return False
            reason, losses = next(iter(self._losses.items()))
            gap = losses.gap(self.sender.last + 1)
            self._record(lambda journal: journal.frame(gap.seq, MSGPACK.encode(gap)))
            del self._losses[reason]
            self.sender.push(lambda _: gap)
            return True


def array_header(length: int) -> bytes:
    """MessagePack header of an array of up to 65,535 items."""
    return bytes([0x90 | length]) if length < 16 else b"\xdc" + length.to_bytes(2, "big")
