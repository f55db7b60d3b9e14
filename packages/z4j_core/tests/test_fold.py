"""The state of a task is a function of the set of its events."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from z4j_core.events import Kind, WireEvent
from z4j_core.fold import (
    KIND_RANK,
    SLOT_OF,
    STATES,
    Details,
    ExceptionDetails,
    TaskRow,
    join,
    row_of,
)

texts = st.none() | st.sampled_from(["a", "b", "ä", "\U0001f600"])
times = st.integers(1, 4)
details = st.builds(
    Details,
    args=st.sampled_from([msgspec.Raw(b""), msgspec.Raw(b"[1]"), msgspec.Raw(b"[2]")]),
    exact=st.none() | st.booleans(),
    published_at=st.none() | times,
    run_us=st.none() | times,
    retried_from=texts,
    since=st.none() | times,
    reason=texts,
    exception=st.none() | st.builds(ExceptionDetails, type=st.sampled_from(["E", "F"])),
)
rows = st.builds(
    lambda kind, attempt, at, name, queue, more, worker: row_of(
        WireEvent(kind, "memory", "t", attempt, at, name, queue, b"{}"), more, worker
    ),
    st.sampled_from(Kind),
    st.integers(0, 2),
    times,
    texts,
    texts,
    details,
    st.sampled_from(["w1", "w2"]),
)


def folded(parts: list[TaskRow]) -> TaskRow:
    result = msgspec.structs.replace(parts[0])
    for part in parts[1:]:
        join(result, part)
    return result


@given(st.lists(rows, min_size=1, max_size=8), st.randoms())
def test_order_does_not_matter(parts: list[TaskRow], random: object) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert folded(shuffled) == folded(parts)


@given(st.lists(rows, min_size=1, max_size=6), st.integers(0, 5))
def test_repetition_does_not_matter(parts: list[TaskRow], index: int) -> None:
    assert folded([*parts, parts[index % len(parts)]]) == folded(parts)


@given(st.lists(rows, min_size=2, max_size=8), st.integers(1, 7))
def test_the_split_into_batches_does_not_matter(parts: list[TaskRow], cut: int) -> None:
    cut = min(cut, len(parts) - 1)
    first, second = folded(parts[:cut]), folded(parts[cut:])
    join(first, second)
    assert first == folded(parts)


def row(kind: Kind, at: int, attempt: int = 0, **more: object) -> TaskRow:
    event = WireEvent(kind, "memory", "t", attempt, at, None, None, b"{}")
    return row_of(event, Details(**more), "w")  # type: ignore[arg-type]


def test_a_life_in_order() -> None:
    result = folded([row(Kind.PUBLISHED, 1), row(Kind.RECEIVED, 2), row(Kind.STARTED, 3)])
    assert (result.state, result.queued_at, result.received_at, result.started_at) == (
        "running",
        1,
        2,
        3,
    )
    assert result.first_at == 1
    assert result.last_at == 3


def test_a_late_start_does_not_undo_an_end() -> None:
    result = folded([row(Kind.SUCCEEDED, 4, run_us=7), row(Kind.STARTED, 3)])
    assert (result.state, result.ended_at, result.run_us) == ("succeeded", 4, 7)


def test_a_new_attempt_forgets_the_times_of_the_old_one() -> None:
    result = folded([row(Kind.STARTED, 2), row(Kind.RETRIED, 3), row(Kind.PUBLISHED, 4, 1)])
    assert (result.state, result.started_at, result.queued_at) == ("queued", None, 4)
    assert result.published_at == 4
    assert result.first_at == 2


def test_a_cancellation_stands_above_a_success_of_the_same_attempt() -> None:
    assert folded([row(Kind.CANCELLED, 2), row(Kind.SUCCEEDED, 3)]).state == "cancelled"


def test_a_redelivered_task_that_succeeds_has_succeeded() -> None:
    assert folded([row(Kind.FAILED, 2), row(Kind.SUCCEEDED, 5)]).state == "succeeded"


def test_the_publisher_is_not_the_worker() -> None:
    assert row(Kind.PUBLISHED, 1).worker is None
    assert row(Kind.RECEIVED, 1).worker == "w"


def test_a_silent_task_is_unknown_until_a_later_fact() -> None:
    silent = [row(Kind.STARTED, 3), row(Kind.UNKNOWN, 9, since=3, reason="w1 is gone")]
    result = folded(silent)
    assert (result.state, result.unknown_at, result.unknown_reason) == ("unknown", 3, "w1 is gone")
    assert (result.worker, result.started_at, result.ended_at) == ("w", 3, None)
    assert folded([*silent, row(Kind.RECEIVED, 4)]).state == "running", "delivered again"
    assert folded([row(Kind.RECEIVED, 2), *silent]).state == "unknown", "an older fact, come late"
    assert folded([*silent, row(Kind.SUCCEEDED, 2)]).state == "succeeded", "an end at any time"
    assert folded([*silent, row(Kind.RETRIED, 2)]).state == "unknown"
    again = row(Kind.UNKNOWN, 20, since=5, reason="w2 is gone")
    assert folded([*silent, row(Kind.STARTED, 5), again]).unknown_reason == "w2 is gone"


def test_a_doubt_ranks_below_every_fact_of_its_attempt() -> None:
    result = folded([row(Kind.UNKNOWN, 9, 1, since=4), row(Kind.PUBLISHED, 5, 1)])
    assert (result.state, result.attempt) == ("queued", 1)
    alone = row(Kind.UNKNOWN, 9)
    assert (alone.state, alone.unknown_at, alone.last_at) == ("unknown", 9, 9)


def test_the_numbers_of_the_kinds_are_stored_and_never_change() -> None:
    assert {kind.value: number for kind, number in KIND_RANK.items()} == {
        "unknown": 0,
        "published": 1,
        "received": 2,
        "started": 3,
        "retried": 4,
        "rejected": 5,
        "failed": 6,
        "succeeded": 7,
        "cancelled": 8,
    }


def test_every_field_has_a_slot() -> None:
    assert set(SLOT_OF) == {field.name for field in msgspec.structs.fields(TaskRow)}
    assert len(STATES) == len(set(STATES))
