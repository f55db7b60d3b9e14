"""What waits to be sent: bounded by bytes, sealed into frames, shed by value, never silent.

Events are kept encoded, so their size is known and nothing that the host changes later matters.
They are sealed as late as possible: only events that are not yet numbered can still be shed, and
the longer a batch waits the fuller it is.

With a spool, every event is in its files before `append` returns, and memory holds the oldest
ones only: what it has no room for is read back later. Without one, or after the spool failed,
memory is all there is.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import NamedTuple, TypeVar, cast

import msgspec

from z4j_agent.losses import Losses
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.records import Header, Loss
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind, WireEvent
from z4j_core.frames import MAX_EVENTS, Events, RawEvents, Result
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
SPOOL_FULL = "the spool was full"
UNREADABLE = "the spool could not be read"

_T = TypeVar("_T")
_log = logging.getLogger("z4j.agent")
_decode = msgspec.msgpack.Decoder(WireEvent).decode


class Pending(NamedTuple):
    """One encoded event that is not yet part of a frame; `number` is 0 without a spool."""

    kind: Kind
    occurred_at: int
    encoded: bytes
    number: int = 0


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
    is inside; such an event waits until that one is written.
    """

    def __init__(self, limit_bytes: int, sender: Sender | None = None) -> None:
        self.sender = sender or Sender(MSGPACK.encode)
        self.wake: Callable[[], None] | None = None
        self._limit = limit_bytes
        self._lock = RLock()
        self._pending: deque[Pending] = deque()
        self._bytes = 0
        self._held_bytes = 0
        self._losses: dict[str, Losses] = {}
        self._in_flight: deque[tuple[int, int, int, int]] = deque()
        self._in_flight_events = 0
        self._journal: Journal | None = None
        self._settled = 0
        self._is_writing = False
        self._deferred: deque[tuple[Kind, int, bytes]] = deque()
        self._dropped = 0
        self._processed = 0

    def append(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        """Take one encoded event; when everything is full the least valuable ones go."""
        with self._lock:
            if self._is_writing:
                self._deferred.append((kind, occurred_at, encoded))
                return
            self._is_writing = True
            try:
                self._take(kind, occurred_at, encoded)
            finally:
                self._is_writing = False
            while self._deferred and not self._is_writing:
                self.append(*self._deferred.popleft())
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
            if self.has_pending:
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
                events=len(self._pending) + self._in_flight_events + self._in_files,
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
        return bool(self._pending or self._losses or self._in_files)

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
        self._held_bytes = self.sender.kept_bytes
        return made

    def settle(self) -> None:
        """Note what was acknowledged since; to be called after an `Ack` or a `Welcome`."""
        acknowledged = self.sender.last - self.sender.kept
        with self._lock:
            self._held_bytes = self.sender.kept_bytes
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

    # ---- the spool -------------------------------------------------------------------------

    @property
    def journal(self) -> Journal | None:
        """The spool that is written to, if there is one."""
        return self._journal

    def losses(self) -> list[Loss]:
        """Return what was dropped and has not been told."""
        with self._lock:
            return [losses.as_loss() for losses in self._losses.values()]

    def write_to(self, journal: Journal) -> None:
        """Keep everything in this new spool from now on, beginning with what waits already.

        Raise `OSError`, and go on as before, when that fails.
        """
        with self._lock:
            numbered: deque[Pending] = deque()
            try:
                journal.begin(Header(journal.identity, self.sender.last, 1, self.losses()))
                while self._pending:
                    number = journal.append(self._pending[0].encoded)
                    numbered.append(self._pending.popleft()._replace(number=number))
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

    def flush(self) -> None:
        """Move into the spool's file what is in front of it."""
        with self._lock:
            self._record(lambda journal: journal.flush())

    def let_go(self) -> None:
        """In a forked child: close our copies of the spool's descriptors. Takes no lock."""
        if self._journal is not None:
            self._journal.let_go()

    @property
    def _in_files(self) -> int:
        return 0 if self._journal is None else self._journal.tail_left

    def _take(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        """Put an event into the spool, if there is one, and into memory, if it has room."""
        size = len(encoded) + ITEM_OVERHEAD
        is_full = self._bytes + self._held_bytes + size > self._limit
        journal, number = self._journal, 0
        if journal is not None:
            is_full = is_full or journal.tail_left > 0
            if is_full and not journal.admits(RANK.get(kind, HIGHEST_RANK)):
                self._lose(SPOOL_FULL, kind.value, occurred_at)
                return
            try:
                number = journal.append(encoded, not is_full)
            except OSError as error:
                self._fall_back(journal, error)
        if kind in FINISHED:
            self._processed += 1
        if is_full and self._journal is not None:
            self._journal.put_off(number)
            return
        self._pending.append(Pending(kind, occurred_at, encoded, number))
        self._bytes += size
        if is_full:
            self._shed()

    def _record(self, write: Callable[[Journal], _T]) -> _T | None:
        """Write to the spool, if there is one; when it fails go on with memory alone."""
        if self._journal is None:
            return None
        try:
            return write(self._journal)
        except OSError as error:
            self._fall_back(self._journal, error)
            return None

    def _fall_back(self, journal: Journal, error: OSError) -> None:
        """Take what is in the files alone into memory and delete them: they would mislead.

        Frames are sent from now on of which the files would not know.
        """
        self._journal = None
        while journal.tail_left:
            self._refill(journal)
            if self._bytes + self._held_bytes > self._limit:
                self._shed()
        journal.delete()
        _log.warning(
            "The z4j agent's spool %s cannot be written (%s): from now on events are kept in "
            "memory only, and are lost when the process is killed.",
            journal.path,
            error.strerror or error,
        )

    def _refill(self, journal: Journal) -> None:
        """Bring some of the tail back into memory."""
        left = journal.tail_left
        try:
            events, missing = journal.read_tail()
        except OSError:
            events, missing = [], left
            journal.set_tail(1, 0, journal.end)
        for number, encoded in events:
            try:
                event = _decode(encoded)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                missing += 1
                continue
            self._pending.append(Pending(event.kind, event.occurred_at, encoded, number))
            self._bytes += len(encoded) + ITEM_OVERHEAD
        if missing:
            self._lose(UNREADABLE, "unknown", 0, missing)

    # ---- frames ----------------------------------------------------------------------------

    def _push(self, batch: list[Pending]) -> None:
        raw = msgspec.Raw(array_header(len(batch)) + b"".join([item.encoded for item in batch]))

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

    def _take_batch(self, max_events: int) -> list[Pending]:
        batch: list[Pending] = []
        size = 0
        with self._lock:
            if not self._pending and self._journal is not None:
                self._refill(self._journal)
            pending = self._pending
            while pending and len(batch) < max_events:
                length = len(pending[0].encoded)
                if batch and size + length > BATCH_BYTES:
                    break
                size += length
                batch.append(pending.popleft())
            self._bytes -= size + ITEM_OVERHEAD * len(batch)
            if self._journal is not None and self._in_files and self._bytes * 2 < self._limit:
                self._refill(self._journal)
        return batch

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
        if self._journal is not None and losses.is_worth_a_note():
            self._record(lambda journal: journal.lost(losses.as_loss()))


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


def array_header(length: int) -> bytes:
    """MessagePack header of an array of up to 65,535 items."""
    return bytes([0x90 | length]) if length < 16 else b"\xdc" + length.to_bytes(2, "big")
