"""How forked children hand their events to the process that has the link.

One socket pair that keeps message boundaries: the parent reads one end, every child (and every
child of a child) writes whole datagrams to the other. A datagram is a MessagePack `WireEvent`, or
a `DropNote` that tells how many events a child could not hand over.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_core.events import Kind, Micros, Name, WireEvent
from z4j_core.to_wire import without_seal

MAX_DATAGRAM = 100_000
"""Bytes; below the kernel's usual limit of 208 KiB for one message of a Unix socket."""

BUFFER_BYTES = 4 * 1024 * 1024
FULL_WAIT_S = 0.1
READS_PER_TURN = 500
KINDS = frozenset(kind.value for kind in Kind)
RELAY_FULL = "the relay from forked processes was full"
UNREADABLE = "a forked process sent something unreadable"

_encode = msgspec.msgpack.Encoder().encode
_decode_event = msgspec.msgpack.Decoder(WireEvent).decode
_CUT = b'{"cut":["everything"]}'
_TOO_LARGE = f"With its event it exceeds the {MAX_DATAGRAM:,} bytes that a fork hands over."


Count = Annotated[int, Meta(ge=1, lt=1 << 40)]


class DropNote(msgspec.Struct, frozen=True, array_like=True, tag="drop"):
    """What a child could not hand over, by kind; times in microseconds."""

    kinds: dict[Name, Count]
    since: Micros
    until: Micros


_decode_note = msgspec.msgpack.Decoder(DropNote).decode


def open_pair() -> tuple[socket.socket, socket.socket]:
    """Return the parent's and the children's end of a new relay. Raise `OSError`."""
    try:
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except OSError:  # macOS has no SEQPACKET for Unix sockets
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in ends:
        end.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return ends


class RelayWriter:
    """A child's side. Thread-safe: each datagram is one system call."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lost: dict[str, int] = {}
        self._since = 0
        self._until = 0
        self.dropped = 0

    def send(self, event: WireEvent) -> bool:
        """Hand an event over; False if it had to be dropped.

        Waits at most 0.1 seconds for room in the kernel's buffer.
        """
        encoded = _encode(event)
        if len(encoded) > MAX_DATAGRAM and event.sealed is not None:
            event = without_seal(event, _TOO_LARGE)
            encoded = _encode(event)
        if len(encoded) > MAX_DATAGRAM:
            encoded = _encode(msgspec.structs.replace(event, payload=_CUT))
        if not self._put(encoded, FULL_WAIT_S):
            self.lose(event.kind, event.occurred_at)
            return False
        if self._lost:
            self._tell_losses()
        return True

    def lose(self, kind: str, occurred_at: int) -> None:
        """Count an event that is lost; the parent is told with the next one that gets through."""
        self.dropped += 1
        self._lost[str(kind)] = self._lost.get(str(kind), 0) + 1
        self._since = min(self._since or occurred_at, occurred_at)
        self._until = max(self._until, occurred_at)

    def let_go(self) -> None:
        """Forget the socket without closing it: its number may be another file's by now."""
        self._end.detach()

    def _tell_losses(self) -> None:
        kinds, self._lost = self._lost, {}
        if self._put(_encode(DropNote(kinds, self._since, self._until)), 0.0):
            self._since = self._until = 0
            return
        for kind, count in kinds.items():
            self._lost[kind] = self._lost.get(kind, 0) + count

    def _put(self, datagram: bytes, wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                self._end.send(datagram)
            except (BlockingIOError, InterruptedError):
                left = deadline - time.monotonic()
                if left <= 0 or not self._wait_for_room(left):
                    return False
            except OSError:  # the parent is gone, or the kernel refuses the size
                return False
            else:
                return True

    def _wait_for_room(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._end, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))


class RelayReader:
    """The parent's side. Belongs to the driver's thread."""

    def __init__(
        self,
        end: socket.socket,
        take: Callable[[Kind, int, bytes], None],
        lose: Callable[[str, str, int, int], None],
    ) -> None:
        self._end = end
        self._take = take
        self._lose = lose

    def fileno(self) -> int:
        """Return the descriptor to watch; -1 after `close`."""
        return self._end.fileno()

    def drain(self) -> int:
        """Read what the kernel holds, at most 500 datagrams; return how many there were."""
        for count in range(READS_PER_TURN):
            try:
                datagram = self._end.recv(MAX_DATAGRAM + 1)
            except (BlockingIOError, InterruptedError):
                return count
            except OSError:
                return count
            if not datagram:  # no writer is left, or one that sends nothing
                return count
            self._accept(datagram)
        return READS_PER_TURN

    def _accept(self, datagram: bytes) -> None:
        """Pass on what decodes: a child runs the user's code, so its bytes are not trusted."""
        try:
            event = _decode_event(datagram)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._accept_note(datagram)
        else:
            self._take(event.kind, event.occurred_at, datagram)

    def _accept_note(self, datagram: bytes) -> None:
        try:
            note = _decode_note(datagram)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            self._lose(UNREADABLE, "unknown", 0, 1)
            return
        for kind, count in note.kinds.items():
            self._lose(RELAY_FULL, kind if kind in KINDS else "unknown", note.until, count)
