"""What waits to be sent: bounded by bytes, shed by value, never silent, and in the spool if any.

Events are kept encoded, so their size is known and nothing that the host changes later matters.
With a spool, every event is in its files before `append` returns, and memory holds the oldest
ones only: what it has no room for is read back later. Without one, or after the spool failed,
memory is all there is.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from threading import RLock
from typing import TypeVar

import msgspec

from z4j_agent.losses import Losses
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.records import Loss
from z4j_core.events import Kind, WireEvent

BATCH_BYTES = 64 * 1024
ITEM_OVERHEAD = 160
"""Bytes that an entry costs beside its payload: tuple, bytes header, slot in the queue."""

SHED_FRACTION = 8
"""One eighth of the bound is freed at once, so that the pass over the queue is paid rarely."""

_PROCESSED = frozenset({Kind.SUCCEEDED, Kind.FAILED, Kind.RETRIED})
RANK = {Kind.RECEIVED: 0, Kind.STARTED: 0, Kind.PUBLISHED: 1, Kind.SUCCEEDED: 2}
"""What goes first when memory is full; all other kinds tell of a failure and rank highest."""

HIGHEST_RANK = 3
FULL = "the outbox was full"
SPOOL_FULL = "the spool was full"
UNREADABLE = "the spool could not be read"

_T = TypeVar("_T")
_log = logging.getLogger("z4j.agent")
_decode = msgspec.msgpack.Decoder(WireEvent).decode
encoded_of, _kind_of = attrgetter("encoded"), attrgetter("kind")


class Pending(msgspec.Struct, gc=False):
    """One encoded event that is not yet part of a frame; `number` is 0 without a spool."""

    kind: Kind
    occurred_at: int
    encoded: bytes
    number: int = 0


class Backlog:
    """Events that are in no frame yet. Thread-safe, except for what begins with an underscore.

    The lock is re-entrant, because a signal handler or a finaliser may emit while its own thread
    is inside; such an event waits until that one is written.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.wake: Callable[[], None] | None = None
        self._limit = limit_bytes
        self._lock = RLock()
        self._pending: deque[Pending] = deque()
        self._bytes = 0
        self._room = limit_bytes  # what frames leave of the bound
        self._losses: dict[str, Losses] = {}
        self._journal: Journal | None = None
        self._is_writing = False
        self._deferred: deque[tuple[Kind, int, bytes]] = deque()
        self._dropped = 0
        self._processed = 0

    def append(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        """Take one encoded event; when everything is full the least valuable ones go."""
        size = len(encoded) + ITEM_OVERHEAD
        with self._lock:
            if self._is_writing:
                self._deferred.append((kind, occurred_at, encoded))
                return
            self._is_writing = True
            try:
                # The usual way is written out here: the host pays for every event.
                journal, number = self._journal, 0
                if self._bytes + size > self._room or (journal is not None and journal.tail_left):
                    self._take_when_full(kind, occurred_at, encoded)
                else:
                    if journal is not None:
                        try:
                            number = journal.append(encoded)
                        except OSError as error:
                            self._fall_back(journal, error)
                    self._pending.append(Pending(kind, occurred_at, encoded, number))
                    self._bytes += size
            finally:
                self._is_writing = False
            if self._deferred:
                self._take_deferred()
            wake = self.wake
            if wake is not None:
                self.wake = None
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

    @property
    def has_pending(self) -> bool:
        """Tell whether something waits to be sealed."""
        return bool(self._pending or self._losses or self._in_files)

    @property
    def journal(self) -> Journal | None:
        """The spool that is written to, if there is one."""
        return self._journal

    def losses(self) -> list[Loss]:
        """Return what was dropped and has not been told."""
        with self._lock:
            return [losses.as_loss() for losses in self._losses.values()]

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

    def _take_deferred(self) -> None:
        """Take what a signal handler emitted meanwhile."""
        deferred, self._deferred = self._deferred, deque()
        for item in deferred:
            self.append(*item)

    def _take_when_full(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        """Leave an event to the files alone; without files make room for it in memory."""
        journal = self._journal
        if journal is not None:
            if not journal.admits(RANK.get(kind, HIGHEST_RANK)):
                self._lose(SPOOL_FULL, kind.value, occurred_at)
                return
            try:
                journal.put_off(journal.append(encoded, False))
                return
            except OSError as error:
                self._fall_back(journal, error)
        self._pending.append(Pending(kind, occurred_at, encoded))
        self._bytes += len(encoded) + ITEM_OVERHEAD
        self._shed()

    def _take_batch(self, max_events: int) -> list[Pending]:
        with self._lock:
            if not self._pending and self._journal is not None:
                self._refill(self._journal)
            pending = self._pending
            batch = [pending.popleft() for _ in range(min(len(pending), max_events))]
            size = sum(map(len, map(encoded_of, batch)))
            while size > BATCH_BYTES and len(batch) > 1:
                last = batch.pop()
                pending.appendleft(last)
                size -= len(last.encoded)
            self._bytes -= size + ITEM_OVERHEAD * len(batch)
            self._processed += sum(map(_PROCESSED.__contains__, map(_kind_of, batch)))
            if self._journal is not None and self._in_files and self._bytes * 2 < self._limit:
                self._refill(self._journal)
        return batch

    def _shed(self) -> None:
        """Drop by rank, oldest first, until an eighth of the bound is free."""
        excess = self._bytes - self._room + self._limit // SHED_FRACTION
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
            if self._bytes > self._room:
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
