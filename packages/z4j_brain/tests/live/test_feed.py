"""The bookkeeping of one feed: nothing is missed, whatever the order of arrival."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.live import feed as feed_module
from z4j_brain.live.changes import Changes
from z4j_brain.live.feed import MANY_TASKS, PATIENCE_S, Feed


def change(number: int) -> Changes:
    return Changes(task_keys=[("celery", f"t{number}")])


def keys(feed: Feed, offset: int) -> set[str] | None:
    found = feed.since(offset)
    return None if found is None else {key for _, key in found.changes().task_keys}


@given(st.integers(1, 12).flatmap(lambda n: st.permutations(range(1, n + 1))))
def test_who_resumes_from_a_settled_offset_misses_nothing(order: list[int]) -> None:
    feed = Feed()
    feed.start(0)
    seen_at: list[tuple[int, set[int]]] = []
    published: set[int] = set()
    for offset in order:
        feed.add(offset, change(offset))
        published.add(offset)
        assert set(range(1, feed.settled + 1)) <= published
        seen_at.append((feed.settled, set(published)))
    assert feed.settled == len(order)
    for settled, known in seen_at:
        again = keys(feed, settled)
        assert again is not None
        assert {f"t{number}" for number in published - known} <= again


def test_an_offset_that_never_comes_means_reading_again() -> None:
    feed = Feed()
    feed.start(5)
    feed.add(7, change(7))
    assert feed.settled == 5
    assert not feed.check(7, 100.0)
    assert not feed.check(7, 100.0 + PATIENCE_S / 2)
    assert feed.check(7, 100.0 + PATIENCE_S)
    assert (feed.settled, keys(feed, 6), keys(feed, 7)) == (7, None, set())
    feed.add(6, change(6))
    feed.add(8, change(8))
    assert (feed.settled, keys(feed, 7)) == (8, {"t8"})


def test_a_silent_change_by_another_process_is_noticed() -> None:
    feed = Feed()
    feed.start(5)
    assert not feed.check(6, 1.0)
    assert feed.check(6, 1.0 + PATIENCE_S)
    assert not feed.check(6, 99.0)


def test_a_change_on_its_way_is_awaited() -> None:
    feed = Feed()
    feed.start(5)
    assert not feed.check(6, 1.0)
    feed.add(6, change(6))
    assert not feed.check(6, 50.0)
    assert keys(feed, 5) == {"t6"}


def test_the_first_change_starts_a_feed() -> None:
    feed = Feed()
    feed.add(41, change(41))
    assert (feed.settled, keys(feed, 40), keys(feed, 39)) == (41, {"t41"}, None)
    feed.start(7)
    assert feed.settled == 41


def test_the_ring_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "RING_ENTRIES", 3)
    feed = Feed()
    feed.start(0)
    for number in range(1, 6):
        feed.add(number, change(number))
    assert (keys(feed, 1), keys(feed, 2)) == (None, {"t3", "t4", "t5"})
    monkeypatch.setattr(feed_module, "RING_KEYS", 2)
    feed.add(6, change(6))
    assert (keys(feed, 3), keys(feed, 4)) == (None, {"t5", "t6"})


def test_what_waits_for_an_offset_of_another_process_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "RING_ENTRIES", 3)
    feed = Feed()
    feed.start(5)
    for number in range(7, 10):
        feed.add(number, change(number))
    assert feed.settled == 5
    feed.add(10, change(10))
    assert (feed.settled, keys(feed, 9), keys(feed, 10)) == (10, None, set())
    feed.add(11, change(11))
    assert keys(feed, 10) == {"t11"}
    assert feed.check(11, 1.0), "readers are told to read again"
    assert not feed.check(11, 99.0)


def test_what_changed_is_taken_once_and_each_key_once() -> None:
    feed, worker = Feed(), uuid.uuid4()
    for number in (1, 2):
        feed.add(number, Changes(task_keys=[("celery", "t")], workers=[worker]))
    assert feed.is_dirty
    taken = feed.take().changes()
    assert (taken.task_keys, taken.workers) == ([("celery", "t")], [worker])
    assert (feed.take().size, feed.is_dirty) == (0, False)


def test_too_many_tasks_are_not_listed() -> None:
    feed = Feed()
    many = [("celery", f"t{number}") for number in range(MANY_TASKS)]
    feed.add(1, Changes(task_keys=many[1:], commands=[uuid.uuid4()]))
    assert not feed.take().is_many
    feed.add(2, Changes(task_keys=many))
    taken = feed.take()
    assert (taken.is_many, taken.changes().task_keys, taken.size) == (True, [], MANY_TASKS)
