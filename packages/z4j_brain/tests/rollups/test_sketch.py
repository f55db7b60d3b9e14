"""The sketch keeps its bound, merges like a sum, and refuses what is none."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.sketch import (
    ALPHA,
    LONGEST_US,
    MAX_BYTES,
    SLOTS,
    Sketch,
    SketchError,
    slot_of,
)

DURATIONS = st.integers(0, LONGEST_US) | st.integers(0, 200) | st.integers(0, 10**8)
MANY = st.lists(DURATIONS, max_size=60)


def sketch_of(values: list[int]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(slot_of(value))
    return sketch


def merged(*sketches: Sketch) -> Sketch:
    whole = Sketch()
    for sketch in sketches:
        whole.merge(sketch)
    return whole


@given(st.lists(DURATIONS, min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_within_the_bound_of_the_true_one(values: list[int], percent: int) -> None:
    true = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    [found] = sketch_of(values).percentiles([percent]) or []
    assert abs(found - true) <= ALPHA * true * (1 + 1e-9) + 0.5


@given(st.lists(DURATIONS, min_size=1, max_size=60), st.sets(st.integers(1, 100), min_size=1))
def test_several_percentiles_at_once_are_those_one_by_one(
    values: list[int], percents: set[int]
) -> None:
    sketch = sketch_of(values)
    one_by_one = [(sketch.percentiles([percent]) or [])[0] for percent in sorted(percents)]
    assert sketch.percentiles(sorted(percents)) == one_by_one


@given(MANY, MANY, MANY)
def test_merging_is_the_sketch_of_the_union_in_any_order(
    a: list[int], b: list[int], c: list[int]
) -> None:
    one, two, three = map(sketch_of, (a, b, c))
    assert merged(one, two) == sketch_of(a + b) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))
    assert merged(one, Sketch()) == one
    assert one == sketch_of(a)


@given(MANY, MANY)
def test_bytes_are_merged_as_sketches_are(a: list[int], b: list[int]) -> None:
    whole = Sketch()
    for values in (a, b):
        data = sketch_of(values).to_bytes()
        assert (data is None) == (not values)
        whole.merge_bytes(data)
    assert whole == sketch_of(a + b)


def test_the_largest_sketch_has_fewer_bytes_than_are_read() -> None:
    every = Sketch(dict.fromkeys(range(SLOTS), (1 << 62) - 1))
    data = every.to_bytes() or b""
    assert len(data) < MAX_BYTES
    again = Sketch()
    again.merge_bytes(data)
    assert again == every


@pytest.mark.parametrize("value", [-5, 0, 1, 2, LONGEST_US - 1, LONGEST_US, 1 << 80])
def test_every_duration_has_a_slot(value: int) -> None:
    assert 0 <= slot_of(value) < SLOTS
    assert slot_of(value) == slot_of(min(max(value, 0), LONGEST_US))


def test_an_empty_one_has_no_percentiles() -> None:
    assert Sketch().percentiles([50]) is None


def packed(value: object) -> bytes:
    return b"\x01" + msgspec.msgpack.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02" + packed([1, 1])[1:],
        packed([1]),
        packed([1, 1, 1]),
        packed([]),
        packed([0, 1]),
        packed([1, 0]),
        packed([-1, 1]),
        packed([1, 1 << 62]),
        packed([1, 1.5]),
        packed(["1", 1]),
        packed({"1": 1}),
        packed([SLOTS + 1, 1]),
        packed([SLOTS, 1, 1, 1]),
        packed([1, 1])[:-1],
        packed([1, 1]) + b"\x00",
        b"\x01" + b"\x91" * 20_000,
        b"\x01" + b"\xdd\xff\xff\xff\xff",
        packed([1, 1] * (SLOTS + 1)),
        b"\x01" + b"\x00" * MAX_BYTES,
    ],
)
def test_hostile_bytes_are_refused_and_change_nothing(data: bytes) -> None:
    sketch = Sketch({3: 1})
    with pytest.raises(SketchError):
        sketch.merge_bytes(data)
    assert sketch == Sketch({3: 1})


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    sketch = Sketch()
    try:
        sketch.merge_bytes(b"\x01" + data)
    except SketchError:
        return
    assert sketch.to_bytes() is not None
