"""What a spool holds, read back, so that another process can send it.

Frames keep the numbers and the content that the dead process gave them: some may have reached the
server. Events that were in no frame yet get the next numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import msgspec

from z4j_agent.identity import Identity
from z4j_agent.losses import Losses
from z4j_agent.outbox import Outbox, array_header
from z4j_agent.spool.front import move_to_file
from z4j_agent.spool.journal import Journal, Position, Segment
from z4j_agent.spool.place import Folder
from z4j_agent.spool.records import (
    HEAD,
    SEALED,
    Header,
    Loss,
    Record,
    RecordKind,
    header_of,
    loss_of,
    read,
)
from z4j_core.codec import MSGPACK, FrameError
from z4j_core.events import WireEvent
from z4j_core.frames import Gap, RawEvents
from z4j_core.link import Sender

DAMAGED = "the spool of a dead process was damaged"
UNCERTAIN = "a dead process may have sent them: its spool does not tell"
GIVEN_UP = "the spool of a dead process was too old or too large"
_decode_event = msgspec.msgpack.Decoder(WireEvent).decode


class Restored(msgspec.Struct, frozen=True):
    """One frame of the dead process: its bytes, how many events it has, and the last one."""

    payload: bytes
    events: int
    last_event: int


class Remains:
    """What a locked spool holds. Reads all of it once, and keeps only the frames in memory."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.identity: Identity | None = None
        self.base = 0
        self.floor = 1
        self.losses: dict[str, Losses] = {}
        self.segments: list[Segment] = []
        self.last_event = 0
        self.is_damaged = False
        self._frames: dict[int, bytes | tuple[int, int]] = {}
        self._tail_at: Position | None = None
        self._first_event = 0

    @classmethod
    def of(cls, folder: Folder) -> Remains | None:
        """Read a spool; None if it cannot be understood. Raise `OSError`."""
        move_to_file(folder)
        remains = cls(folder)
        for number in folder.segments:
            remains._scan(number)
        remains._forget_acknowledged()
        return None if remains.identity is None else remains

    @staticmethod
    def is_unbegun(folder: Folder) -> bool:
        """Tell whether its process died before the first header was written, so before any event.

        Raise `OSError`.
        """
        if folder.segments != [1]:
            return False
        descriptor = folder.open_segment(1)
        try:
            head = os.pread(descriptor, HEAD.size, 0)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        return len(head) < HEAD.size or size < HEAD.size + HEAD.unpack(head)[0]

    @property
    def sealed_event(self) -> int:
        """The number of the last event that is in a frame, or void."""
        sealed = [frame[1] for frame in self._frames.values() if isinstance(frame, tuple)]
        return max([self.floor - 1, self._first_event - 1, *sealed])

    @property
    def has_events(self) -> bool:
        """Tell whether events are left, and not only the count of what was dropped."""
        return self.last_event >= self.floor

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left to send or to tell."""
        is_told = not any(losses.kinds for losses in self.losses.values())
        return is_told and not self._frames and not self.has_events

    def outbox(self, limit_bytes: int, spool_bytes: int) -> Outbox:
        """Return an outbox that goes on where the dead process stopped. Raise `OSError`."""
        frames = self._restore()
        outbox = Outbox(limit_bytes, Sender(MSGPACK.encode, self.base))
        losses = [one.as_loss() for one in self.losses.values() if one.kinds]
        rows = [(frame.payload, frame.events, frame.last_event) for frame in frames]
        outbox.restore(rows, losses)
        newest = outbox.sender.last
        sealed = max([self.floor - 1, self._first_event - 1, *(row[2] for row in rows)])
        is_torn = any(seq > newest for seq in self._frames)
        base, after = (self.base, True) if is_torn else (newest, False)
        header = Header(self._who, base, self.last_event + 1, losses, after, self.floor)
        self._go_on(outbox, spool_bytes, header)
        if is_torn:  # frames behind a hole are void, so the ones before it are said again
            self._say_again(outbox, newest)
        self._set_tail(outbox, sealed)
        return outbox

    def without(self, position: int, reason: str, limit_bytes: int, spool_bytes: int) -> Outbox:
        """Return an outbox that only tells that the events that are left were dropped.

        Its frames begin after `position`, and events of frames up to there are not counted.
        Raise `OSError`.
        """
        losses = self._count_tail(reason, position)
        outbox = Outbox(limit_bytes, Sender(MSGPACK.encode, position))
        outbox.restore([], losses)
        next_event = self.last_event + 1
        header = Header(self._who, position, next_event, losses, True, next_event)
        self._go_on(outbox, spool_bytes, header)
        return outbox

    def renumbered(self, position: int, limit_bytes: int, spool_bytes: int) -> Outbox:
        """Return an outbox that sends every event that is there, in frames after `position`.

        For a server that has forgotten what it had acknowledged. Raise `OSError`.
        """
        losses = [one.as_loss() for one in self.losses.values() if one.kinds]
        outbox = Outbox(limit_bytes, Sender(MSGPACK.encode, position))
        outbox.restore([], losses)
        first = max(self.floor, self._first_event)
        header = Header(self._who, position, self.last_event + 1, losses, True, first)
        self._go_on(outbox, spool_bytes, header)
        self._set_tail(outbox, first - 1)
        return outbox

    @property
    def _who(self) -> Identity:
        if self.identity is None:
            raise ValueError("a spool without a header cannot be adopted")
        return self.identity

    def _go_on(self, outbox: Outbox, spool_bytes: int, header: Header) -> None:
        """Begin a file of our own: the last one of the dead process may end in a torn record."""
        journal = Journal(self.folder, self._who, spool_bytes, outbox.losses, self.segments)
        journal.begin(header)
        outbox.go_on_with(journal)

    def _say_again(self, outbox: Outbox, newest: int) -> None:
        for seq in range(self.base + 1, newest + 1):
            known = self._frames[seq]
            if outbox.journal is not None and isinstance(known, bytes):
                outbox.journal.frame(seq, known)
            elif outbox.journal is not None and isinstance(known, tuple):
                outbox.journal.seal(seq, *known)

    def _set_tail(self, outbox: Outbox, sealed: int) -> None:
        holders = [one.number for one in self.segments if one.last_event > sealed]
        if outbox.journal is not None and holders:
            begin = Position(holders[0], 0)
            outbox.journal.set_tail(sealed + 1, self.last_event, begin)

    def _scan(self, number: int) -> None:
        descriptor = self.folder.open_segment(number)
        end = 0
        try:
            for record in read(descriptor):
                self._take(record, is_first=end == 0)
                end = record.end
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        newest = max([self.base, *self._frames])
        self.segments.append(Segment(number, self.last_event, newest, size))

    def _take(self, record: Record, is_first: bool) -> None:
        if is_first:
            self._begin(header_of(record))
        elif record.kind == RecordKind.EVENT:
            self._first_event = self._first_event or record.number
            self.last_event = max(self.last_event, record.number)
        elif record.kind == RecordKind.SEAL and len(record.content) == SEALED.size:
            self._frames[record.number] = SEALED.unpack(record.content)
        elif record.kind == RecordKind.FRAME:
            self._frames[record.number] = record.content
            self._untell(record.content)
        elif record.kind == RecordKind.LOST:
            loss = loss_of(record)
            if loss is not None:
                self.losses[loss.reason] = Losses(loss.reason)
                self.losses[loss.reason].add_all(loss)

    def _begin(self, header: Header | None) -> None:
        if header is None:
            self.is_damaged = True
            return
        if self.identity is None or header.restarts:
            self.base, self.floor = header.base, header.floor
            self._frames.clear()
        self.identity = header.identity
        self.last_event = max(self.last_event, header.next_event - 1)
        self._first_event = self._first_event or header.next_event
        self.losses = {loss.reason: Losses(loss.reason) for loss in header.losses}
        for loss in header.losses:
            self.losses[loss.reason].add_all(loss)

    def _forget_acknowledged(self) -> None:
        """Events were deleted only when their frame was acknowledged, and so all before it."""
        for seq, known in self._frames.items():
            if isinstance(known, tuple) and known[0] < self._first_event:
                self.base = max(self.base, seq)
                self.floor = max(self.floor, known[1] + 1)
        self._frames = {seq: known for seq, known in self._frames.items() if seq > self.base}

    def _untell(self, payload: bytes) -> None:
        """A gap that is a frame already is not made once more."""
        try:
            gap = MSGPACK.decode(payload)
        except FrameError:
            return
        if isinstance(gap, Gap) and gap.reason in self.losses:
            self.losses[gap.reason].told(gap.kinds)

    def _restore(self) -> list[Restored]:
        """Return the frames after `base`, up to the first one that the spool does not know."""
        events = self._sealed_events()
        frames: list[Restored] = []
        last = max(self.floor, self._first_event) - 1
        while (known := self._frames.get(self.base + len(frames) + 1)) is not None:
            if isinstance(known, bytes):
                frames.append(Restored(known, 0, last))
                continue
            last = known[1]
            found = [events[n] for n in range(known[0], known[1] + 1) if n in events]
            payload = self._frame(self.base + len(frames) + 1, found, known)
            frames.append(Restored(payload, len(found), last))
        return frames

    def _frame(self, seq: int, found: list[bytes], span: tuple[int, int]) -> bytes:
        missing = span[1] - span[0] + 1 - len(found)
        if missing > 0:
            self.losses.setdefault(DAMAGED, Losses(DAMAGED)).add("unknown", 0, missing)
        if not found:
            return MSGPACK.encode(Gap(seq, max(1, missing), {"unknown": missing}, 0, 0, DAMAGED))
        return MSGPACK.encode(
            RawEvents(seq, msgspec.Raw(array_header(len(found)) + b"".join(found)))
        )

    def _sealed_events(self) -> dict[int, bytes]:
        last = self.sealed_event
        return {
            record.number: record.content
            for record in self._events(lambda number: number > last)
            if record.number >= self.floor
        }

    def _count_tail(self, reason: str, position: int) -> list[Loss]:
        """Count what is in no frame up to `position`, by kind, as lost."""
        spans = [one[1] for seq, one in self._frames.items() if seq <= position and one[1:]]
        sealed = max([self.floor - 1, *(last for last in spans if isinstance(last, int))])
        lost = self.losses.setdefault(reason, Losses(reason))
        for record in self._events(lambda _: False):
            if record.number > sealed:
                try:
                    event = _decode_event(record.content)
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    lost.add("unknown", 0)
                else:
                    lost.add(event.kind.value, event.occurred_at)
        return [one.as_loss() for one in self.losses.values() if one.kinds]

    def _events(self, is_past: Callable[[int], bool]) -> Iterator[Record]:
        for segment in self.segments:
            descriptor = self.folder.open_segment(segment.number)
            try:
                for record in read(descriptor):
                    if record.kind == RecordKind.EVENT:
                        if is_past(record.number):
                            return
                        yield record
            finally:
                os.close(descriptor)
