"""Decoding what strangers send: limits, refusals, and no good event lost with a bad one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_core import frames
from z4j_core.codec import MSGPACK, FrameError
from z4j_core.events import MAX_PAYLOAD, Kind, WireEvent

GOOD = ["started", "celery", "t1", 0, 5, None, None, b"{}"]


def batch(*events: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(list(events)))


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, "exploded"),
        (1, "Not An Engine"),
        (2, ""),
        (2, "x" * 256),
        (3, -1),
        (3, 1 << 20),
        (4, -5),
        (4, 1 << 60),
        (5, "n" * 256),
        (7, b"x" * (MAX_PAYLOAD + 1)),
        (7, None),
    ],
)
def test_a_bad_event_is_named_and_the_good_ones_stay(position: int, value: object) -> None:
    bad = [*GOOD[:position], value, *GOOD[position + 1 :]]
    good, reasons = MSGPACK.decode_events(batch(GOOD, bad, GOOD))
    assert [event.task_id for event in good] == ["t1", "t1"]
    assert len(reasons) == 1


def test_too_many_events_are_refused() -> None:
    with pytest.raises(FrameError, match="at most 200"):
        MSGPACK.decode_events(batch(*[GOOD] * (frames.MAX_EVENTS + 1)))


@given(st.binary(max_size=200))
def test_bytes_decode_or_are_refused(payload: bytes) -> None:
    try:
        MSGPACK.decode(payload)
        MSGPACK.decode_events(msgspec.Raw(payload))
    except FrameError as error:
        assert len(str(error)) < 1_000


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(FrameError):
        MSGPACK.decode(b"\x91" * 200_000)


@given(st.integers(0, 65_535), st.text(min_size=1, max_size=255), st.binary(max_size=1000))
def test_events_survive_the_way(attempt: int, task_id: str, payload: bytes) -> None:
    event = WireEvent(Kind.FAILED, "celery", task_id, attempt, 1, None, "q", payload)
    frame = MSGPACK.decode(MSGPACK.encode(frames.Events(1, [event])))
    assert isinstance(frame, frames.RawEvents)
    assert MSGPACK.decode_events(frame.events) == ([event], [])
