from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from z4j_agent.relay import (
    MAX_DATAGRAM,
    RELAY_FULL,
    UNREADABLE,
    DropNote,
    RelayReader,
    RelayWriter,
    open_pair,
)
from z4j_core.events import Kind, WireEvent

encode = msgspec.msgpack.encode


class Desk:
    """A relay whose parent end is read by the test."""

    def __init__(self) -> None:
        self.parent_end, self.child_end = open_pair()
        self.events: list[WireEvent] = []
        self.losses: list[tuple[str, str, int, int]] = []
        self.reader = RelayReader(self.parent_end, self._take, self._lose)
        self.writer = RelayWriter(self.child_end)

    def _take(self, kind: Kind, occurred_at: int, encoded: bytes) -> None:
        event = msgspec.msgpack.decode(encoded, type=WireEvent)
        assert (event.kind, event.occurred_at) == (kind, occurred_at)
        self.events.append(event)

    def _lose(self, reason: str, kind: str, occurred_at: int, count: int) -> None:
        self.losses.append((reason, kind, occurred_at, count))

    def drain(self) -> None:
        while self.reader.drain():
            pass


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.parent_end.close()
    desk.child_end.close()


def wire(number: int, payload: bytes = b"{}", kind: Kind = Kind.PUBLISHED) -> WireEvent:
    return WireEvent(kind, "celery", f"t{number}", 0, number, None, None, payload)


def test_really_forked_children_hand_over_events(
    desk: Desk, in_child: Callable[[Callable[[], None]], int]
) -> None:
    def child() -> None:
        for number in range(50):
            assert desk.writer.send(wire(os.getpid() * 1000 + number))

    assert in_child(child) == 0
    assert in_child(child) == 0
    desk.drain()
    assert len({event.task_id for event in desk.events}) == 100


def test_a_relay_that_is_let_go_is_neither_written_to_nor_closed(desk: Desk) -> None:
    descriptor = desk.child_end.fileno()
    desk.writer.let_go()
    assert not desk.writer.send(wire(1))
    os.close(descriptor)  # it was open
    desk.drain()
    assert desk.events == []


def test_a_big_event_is_cut_to_fit_a_datagram(desk: Desk) -> None:
    assert desk.writer.send(wire(1, b'"' + b"x" * MAX_DATAGRAM + b'"'))
    assert desk.writer.send(wire(2, b'"' + b"x" * 65_000 + b'"'))
    desk.drain()
    assert [len(event.payload) for event in desk.events] == [22, 65_002]
    assert desk.events[0].payload == b'{"cut":["everything"]}'


def test_a_full_buffer_drops_and_tells_the_parent_later(desk: Desk) -> None:
    sent = 0
    while desk.writer.send(wire(sent, b'"' + b"x" * 60_000 + b'"')):
        sent += 1
    assert sent > 0
    assert desk.writer.dropped == 1
    desk.drain()
    assert desk.losses == []
    assert desk.writer.send(wire(99_999))
    desk.drain()
    assert desk.losses == [(RELAY_FULL, "published", sent, 1)]
    assert len(desk.events) == sent + 1


def test_without_a_parent_events_are_counted_not_waited_for(desk: Desk) -> None:
    desk.parent_end.close()
    assert not desk.writer.send(wire(1))
    assert desk.writer.dropped == 1


def test_after_close_the_reader_reads_nothing(desk: Desk) -> None:
    desk.parent_end.close()
    assert desk.reader.drain() == 0
    assert desk.reader.fileno() == -1


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00",
        b"\xff" * 100,
        b"\x98" * 50_000,
        encode(["failed", "celery", "", 0, 1, None, None, b"{}"]),
        encode(["failed", "UPPER", "t", 0, 1, None, None, b"{}"]),
        encode(["nonsense", "celery", "t", 0, 1, None, None, b"{}"]),
        encode(["failed", "celery", "t", 0, -1, None, None, b"{}"]),
        encode(["failed", "celery", "t", 0, 1, None, None, b"x" * 70_000]),
        encode(["drop", {"failed": -4}, 0, 0]),
        encode(["drop", {"failed": 1}, -1, 0]),
    ],
)
def test_hostile_datagrams_are_counted_and_nothing_else(desk: Desk, datagram: bytes) -> None:
    desk.child_end.send(datagram)
    desk.drain()
    assert desk.events == []
    assert desk.losses == ([(UNREADABLE, "unknown", 0, 1)] if datagram else [])


def test_a_note_cannot_name_kinds_of_its_own(desk: Desk) -> None:
    desk.child_end.send(encode(DropNote({"x" * 50: 7}, 1, 2)))
    desk.drain()
    assert desk.losses == [(RELAY_FULL, "unknown", 2, 7)]


def test_message_boundaries_are_kept_where_there_is_no_seqpacket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.socketpair

    def without_seqpacket(family: int, kind: int) -> Any:
        if kind == socket.SOCK_SEQPACKET:
            raise OSError("not supported")
        return real(family, kind)

    monkeypatch.setattr(socket, "socketpair", without_seqpacket)
    desk = Desk()
    try:
        assert desk.writer.send(wire(1))
        assert desk.writer.send(wire(2))
        desk.drain()
        assert [event.occurred_at for event in desk.events] == [1, 2]
    finally:
        desk.parent_end.close()
        desk.child_end.close()
