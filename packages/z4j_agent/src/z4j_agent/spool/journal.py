"""What one process writes into its spool, and reads back when its memory is too small.

Files of 4 MiB, appended to by single writes into the page cache and deleted from the oldest on
when all that they hold is acknowledged. No fsync: a spool survives its process, not a power cut.
Where there is a front, events are written there first, and move into the file together.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from zlib import crc32

import msgspec

from z4j_agent.identity import Identity
from z4j_agent.spool.front import Front, delete_front
from z4j_agent.spool.place import Folder
from z4j_agent.spool.records import (
    EVENT,
    SEALED,
    WORD,
    Header,
    Loss,
    RecordKind,
    pack,
    pack_head,
    pack_header,
    pack_loss,
    read,
)

SEGMENT_BYTES = 4 * 1024 * 1024
RESET_BYTES = 256 * 1024
"""A lone file that holds nothing of use any more is begun anew from this size on."""

TAIL_BYTES = 256 * 1024
TORN = "the file system takes no more"
SHARES = (0.7, 0.8, 0.9, 1.0)
"""How much of the ceiling may be full for events of each rank still to be taken."""


class Segment(msgspec.Struct):
    """One file: the newest event and the newest frame that are in it or in an earlier one."""

    number: int
    last_event: int
    last_frame: int
    size: int


class Position(msgspec.Struct):
    """A place in the files: the segment's number and the offset in it, in bytes."""

    segment: int
    offset: int


class Journal:
    """Not thread-safe: the outbox calls it with its lock held. Everything may raise `OSError`.

    Events that memory has no room for stay in the files alone: they are the tail, always the
    newest ones. `tail_left` tells how many they are.
    """

    def __init__(
        self,
        folder: Folder,
        identity: Identity,
        limit_bytes: int,
        untold: Callable[[], list[Loss]],
        segments: list[Segment] | None = None,
        front: Front | None = None,
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.limit_bytes = limit_bytes
        self.other_bytes = 0
        self.untold = untold
        self._segments: deque[Segment] = deque(segments or ())
        self._front = front
        self._descriptor = -1
        self._size = sum(segment.size for segment in self._segments)
        self._last_offset = 0
        self.tail_left = 0
        self._tail_end = 0
        self._tail_at = Position(0, 0)

    @property
    def path(self) -> str:
        """The folder, for messages."""
        return str(self.folder.path)

    def admits(self, rank: int) -> bool:
        """Tell whether the ceiling leaves room for an event of this rank, 0 to 3."""
        size = self._size + self._in_front + self.other_bytes
        return size < self.limit_bytes * SHARES[rank]

    @property
    def end(self) -> Position:
        """Where the next record will be written."""
        return Position(self._segments[-1].number, self._segments[-1].size)

    def begin(self, header: Header) -> None:
        """Begin a file; the ones before it are never written again."""
        if self._segments:
            self.flush()
        last = self._segments[-1] if self._segments else None
        number = 1 if last is None else last.number + 1
        descriptor = self.folder.open_segment(number, is_new=True)
        previous, self._descriptor = self._descriptor, descriptor
        if previous >= 0:
            os.close(previous)
        base = header.base if last is None else max(header.base, last.last_frame)
        self._segments.append(Segment(number, header.next_event - 1, base, 0))
        self._write(pack_header(header))

    def append(self, encoded: bytes, is_in_memory: bool = True) -> int:
        """Write an accepted event and return its number; into the file, if memory has it not."""
        segment, front = self._segments[-1], self._front
        number = segment.last_event + 1
        # `pack`, written out: the host pays for every event.
        seal = crc32(encoded, (number << 3 ^ number >> 29 ^ EVENT) & WORD)
        record = pack_head(len(encoded), seal, EVENT, number) + encoded
        if front is not None and is_in_memory:
            try:
                front.write(record)
            except ValueError:
                segment = self._append_to_file(record)
        else:
            segment = self._append_to_file(record)
        segment.last_event = number
        return number

    def flush(self) -> None:
        """Move what is in front into the file."""
        if self._in_front:
            self._write(b"")

    def seal(self, seq: int, first: int, last: int) -> None:
        """Write which events a frame holds; to be called before the frame can be sent."""
        segment = self._current()
        self._write(pack(RecordKind.SEAL, seq, SEALED.pack(first, last)))
        segment.last_frame = seq

    def frame(self, seq: int, payload: bytes) -> None:
        """Write a whole frame; to be called before it can be sent."""
        segment = self._current()
        self._write(pack(RecordKind.FRAME, seq, payload))
        segment.last_frame = seq

    def lost(self, loss: Loss) -> None:
        """Write how many events were dropped for one reason and are not told."""
        self._current()
        self._write(pack_loss(loss))

    def settle(self, frame: int, event: int) -> None:
        """Delete the files of which all frames and events up to these are acknowledged."""
        segments = self._segments
        last = segments[-1]
        is_settled = last.last_event <= event and last.last_frame <= frame
        if is_settled and last.size > RESET_BYTES:
            self._rotate()
        while len(segments) > 1 and _is_settled(segments[0], frame, event):
            self.folder.delete_segment(segments[0].number)
            self._size -= segments.popleft().size

    def put_off(self, number: int) -> None:
        """Leave the event that was appended last to the files."""
        if not self.tail_left:
            self._tail_at = Position(self._segments[-1].number, self._last_offset)
        self.tail_left += 1
        self._tail_end = number

    def set_tail(self, first: int, last: int, at: Position) -> None:
        """Make events that are in the files already the tail."""
        self.tail_left, self._tail_end, self._tail_at = last - first + 1, last, at

    def read_tail(self) -> tuple[list[tuple[int, bytes]], int]:
        """Take some 256 KiB of the tail, oldest first; also return how many cannot be read."""
        events: list[tuple[int, bytes]] = []
        size = missing = 0
        while self.tail_left and size < TAIL_BYTES:
            found = self._read_segment(TAIL_BYTES - size)
            for number, encoded in found:
                missing += number - self._tail_next
                self.tail_left = self._tail_end - number
                size += len(encoded)
            events += found
            if self.tail_left and size < TAIL_BYTES and not self._next_segment():
                missing += self.tail_left
                self.tail_left = 0
        return events, missing

    def delete(self) -> bool:
        """Delete the spool and let go; tell whether that was possible."""
        self._close()
        delete_front(self.folder.path.name)
        return self.folder.delete()

    def let_go(self) -> None:
        """Let go of the spool, so that another process can adopt it. Never raises."""
        self._close()
        self.folder.let_go()

    @property
    def _in_front(self) -> int:
        return 0 if self._front is None else self._front.used

    def _append_to_file(self, record: bytes) -> Segment:
        segment = self._current()
        self._last_offset = segment.size + self._in_front
        self._write(record)
        return segment

    @property
    def _tail_next(self) -> int:
        return self._tail_end - self.tail_left + 1

    def _read_segment(self, wanted: int) -> list[tuple[int, bytes]]:
        at = self._tail_at
        events: list[tuple[int, bytes]] = []
        descriptor = self.folder.open_segment(at.segment)
        try:
            for record in read(descriptor, at.offset):
                at.offset = record.end
                if record.kind == RecordKind.EVENT and record.number >= self._tail_next:
                    events.append((record.number, record.content))
                    wanted -= len(record.content)
                    if wanted <= 0 or record.number >= self._tail_end:
                        break
        finally:
            os.close(descriptor)
        return events

    def _next_segment(self) -> bool:
        later = [one.number for one in self._segments if one.number > self._tail_at.segment]
        if not later:
            return False
        self._tail_at = Position(later[0], 0)
        return True

    def _current(self) -> Segment:
        """Return the file to write to; begin a new one if that is full."""
        if self._segments[-1].size >= SEGMENT_BYTES:
            self._rotate()
        return self._segments[-1]

    def _rotate(self) -> None:
        last = self._segments[-1]
        header = Header(self.identity, last.last_frame, last.last_event + 1, self.untold())
        self.begin(header)

    def _write(self, record: bytes) -> None:
        """Write a record, and before it what is in front: the file has them in their order."""
        front = self._front
        if front is not None and front.used:
            record = front.content() + record
        self._size += len(record)
        if os.write(self._descriptor, record) != len(record):
            raise OSError(TORN)
        if front is not None and front.used:
            front.clear()
        self._segments[-1].size += len(record)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        front, self._front = self._front, None
        if front is not None:
            front.let_go()


def _is_settled(segment: Segment, frame: int, event: int) -> bool:
    return segment.last_event <= event and segment.last_frame <= frame
