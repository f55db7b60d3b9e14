"""What a process remembers is bounded, and what a stranger wrote does no harm."""

from __future__ import annotations

from typing import Any

import pytest

from z4j_agent.facts import exception_of
from z4j_dramatiq import cancelled
from z4j_dramatiq.cancelled import Cancelled
from z4j_dramatiq.facts import attempt_of, canonical, micros_of, traceback_of
from z4j_dramatiq.memory import MAX_BYTES, Kept


def test_kept_messages_are_bounded_by_number_and_by_bytes() -> None:
    kept = Kept(limit=3, limit_bytes=100)
    for number in range(5):
        kept.put(str(number), b"x" * 40)
    assert [kept.get(str(number)) is not None for number in range(5)] == [False] * 3 + [True] * 2
    kept.put("4", b"y")
    assert (kept.get("4"), kept.bytes) == (b"y", 41)
    kept.put("large", b"x" * (MAX_BYTES + 1))
    assert kept.get("large") is None


def test_cancelled_ids_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelled, "MAX_CANCELLED", 10)
    ids = Cancelled()
    assert not ids.add(object(), [str(number) for number in range(25)]), "shared with nobody"
    assert [number for number in range(25) if ids.has(object(), str(number))] == [*range(15, 25)]


@pytest.mark.parametrize("value", [None, "1", -1, True, 1e300, float("nan"), [], {}])
def test_numbers_of_strangers_are_checked(value: Any) -> None:
    assert micros_of(value) is None
    attempt = attempt_of({"retries": value})
    assert (type(attempt), attempt) == (int, 0)


class Mean(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_an_exception_that_cannot_be_printed_is_told() -> None:
    try:
        raise Mean
    except Mean as error:
        assert exception_of(error)["message"] == "<Mean that cannot be printed>"
        assert "traceback" in traceback_of(error)


def test_the_names_of_queues() -> None:
    assert [canonical(name) for name in ("a", "a.DQ", "a.XQ", "a.DQ.b")] == [
        "a",
        "a",
        "a",
        "a.DQ.b",
    ]
