"""How far an agent's clock is off, whatever the network does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.link.clock_offset import MAX_ROUND_TRIP_US, SAMPLES, ClockOffset, one_way
from z4j_core.frames import Heartbeat

NOON = 1_700_000_000_000_000
HOUR = 3_600_000_000


def beat(clock: ClockOffset, offset: int, *, there: int, back: int, sent: int = NOON) -> None:
    """Send our time, let the agent keep it for 30 s, and take its heartbeat."""
    kept = 30_000_000
    arrived = sent + there + kept + back
    said = sent + there + kept + offset
    clock.take(Heartbeat(said, echo=sent, echo_age_us=kept), arrived)


def test_nothing_is_known_before_the_first_heartbeat() -> None:
    assert ClockOffset().us is None


@given(
    st.integers(-HOUR, HOUR),
    st.lists(
        st.tuples(st.integers(0, 2_000_000), st.integers(0, 2_000_000)), min_size=1, max_size=12
    ),
)
def test_the_error_is_at_most_half_the_shortest_round_trip_or_it_is_none(
    offset: int, delays: list[tuple[int, int]]
) -> None:
    clock = ClockOffset()
    for there, back in delays:
        beat(clock, offset, there=there, back=back)
    shortest = min(there + back for there, back in delays[-SAMPLES:])
    assert clock.us is not None
    if clock.us == 0:
        assert abs(offset) <= shortest + 1
    else:
        assert abs(clock.us - offset) <= shortest // 2 + 1


def test_a_clock_that_agrees_is_not_made_wrong_by_delays() -> None:
    clock = ClockOffset()
    beat(clock, 0, there=1_000, back=90_000)
    assert clock.us == 0
    assert one_way(NOON, NOON + 20_000).sure_us == 0


def test_equal_delays_leave_no_error() -> None:
    clock = ClockOffset()
    beat(clock, -HOUR, there=400_000, back=400_000)
    assert clock.us == -HOUR


def test_a_clock_that_is_set_is_believed_at_once() -> None:
    clock = ClockOffset()
    for _ in range(SAMPLES):
        beat(clock, HOUR, there=1_000, back=1_000)
    beat(clock, 0, there=300_000, back=300_000)
    assert clock.us == 0


def test_an_agent_without_an_echo_is_measured_one_way() -> None:
    clock = ClockOffset()
    clock.take(Heartbeat(NOON + HOUR), NOON + 20_000)
    assert clock.us == HOUR - 20_000
    beat(clock, HOUR, there=5_000, back=5_000)
    assert clock.us == HOUR


@pytest.mark.parametrize(
    "hostile",
    [
        Heartbeat(0),
        Heartbeat(1 << 52),
        Heartbeat(NOON, echo=NOON + 1),
        Heartbeat(NOON, echo=NOON - MAX_ROUND_TRIP_US - 1),
        Heartbeat(NOON, echo=NOON - 100, echo_age_us=101),
        Heartbeat(NOON, echo=NOON - 100, echo_age_us=-1),
        Heartbeat(NOON, echo=-1),
    ],
)
def test_what_makes_no_sense_is_passed_over(hostile: Heartbeat) -> None:
    clock = ClockOffset()
    clock.take(hostile, NOON)
    assert clock.us is None
