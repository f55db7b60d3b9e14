"""The judge sees what is wrong: an instrument that cannot say no proves nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from faults.record import Record
from faults.truth import RELAY_US, Truth
from faults.verdict import judge

EVENTS = [("published", "a.1-0", 0), ("started", "a.1-0", 0), ("succeeded", "a.1-0", 0)]
KINDS = ("published", "started", "succeeded", "failed", "retried", "cancelled", "rejected")


def truth() -> Truth:
    return Truth(tried=set(EVENTS), accepted=dict.fromkeys(EVENTS, 5_000_000))


def record(events: Counter[tuple[str, str, int]], state: str = "succeeded") -> Record:
    counted = dict.fromkeys(KINDS, 0)
    for (kind, _, _), count in events.items():
        counted[kind] += count
    states = {task_id: state for _, task_id, _ in events}
    return Record(events, states, counted, gaps={}, rejected=0)


def test_what_equals_the_truth_holds() -> None:
    assert judge(truth(), record(Counter(EVENTS))).troubles == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({EVENTS[0]: -1}, "lost 1"),
        ({EVENTS[0]: 1}, "recorded twice"),
        ({("started", "b.1-0", 0): 1}, "never happened"),
    ],
)
def test_lost_doubled_and_invented_events_are_seen(
    change: dict[tuple[str, str, int], int], says: str
) -> None:
    events = Counter(EVENTS)
    events.update(change)
    assert says in str(judge(truth(), record(+events)).troubles)


def test_wrong_states_and_counts_are_seen() -> None:
    assert "state" in str(judge(truth(), record(Counter(EVENTS), "running")).troubles)
    wrong = record(Counter(EVENTS))
    wrong.counted["succeeded"] += 1
    assert "rollups" in str(judge(truth(), wrong).troubles)


def test_a_gap_must_declare_exactly_what_is_lost() -> None:
    less = record(Counter(EVENTS[1:]))
    less.gaps = {"full": 1}
    assert judge(truth(), less).troubles == []
    less.gaps = {"full": 2}
    assert "declared 2" in str(judge(truth(), less).troubles)


@pytest.mark.parametrize(("age_us", "is_excused"), [(RELAY_US // 2, True), (RELAY_US * 2, False)])
def test_only_the_last_moment_of_a_killed_relay_is_excused(age_us: int, is_excused: bool) -> None:
    told = truth()
    told.killed_parents["a.1"] = 5_000_000 + age_us
    troubles = judge(told, record(Counter(EVENTS[1:]))).troubles
    assert (troubles == []) is is_excused
