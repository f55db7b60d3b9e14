"""Percentiles of durations from counts: DDSketch, with a relative error of at most 1 %.

Masson, Rim, Lee: *DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
Guarantees*, PVLDB 12(12), 2019. With γ = (1 + α) / (1 − α), a duration of x microseconds is counted
in the slot i = ⌈log_γ x⌉, which covers (γ^(i−1), γ^i]; every x of a slot is within α of the slot's
estimate 2γ^i / (γ + 1). To merge is to add counts, so the sketch of a whole is that of its parts,
whatever the parts. A slot's number depends on x alone: a database can count slots with GROUP BY.

Durations end at `LONGEST_US`, so there are fewer than `SLOTS` slots and none is ever collapsed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import Annotated

import msgspec
from msgspec import Meta

ALPHA = 0.01
"""The relative error: an estimate is at most this share of the true value away from it."""
GAMMA = (1 + ALPHA) / (1 - ALPHA)
LN_GAMMA = math.log(GAMMA)
LONGEST_US = 1 << 52
"""Longer durations count as this one (142 years)."""
SLOTS = 2 + math.ceil(math.log(LONGEST_US) / LN_GAMMA)
"""Slot 0 holds durations below a microsecond, slot 1 + i the i-th of the paper."""
MAX_BYTES = 32_768
_VERSION = 1
_MAX_COUNT = (1 << 62) - 1

_Numbers = Annotated[
    list[Annotated[int, Meta(ge=1, le=_MAX_COUNT)]], Meta(min_length=2, max_length=2 * SLOTS)
]
_decoder = msgspec.msgpack.Decoder(_Numbers)
_encoder = msgspec.msgpack.Encoder()

_ESTIMATES = (0, *(round(2 * GAMMA**i / (GAMMA + 1)) for i in range(SLOTS - 1)))


class SketchError(ValueError):
    """Bytes that are no sketch of this version; the message says why."""


def slot_of(micros: int) -> int:
    """Return the slot that counts this duration in microseconds; a negative one counts as 0."""
    if micros < 1:
        return 0
    return 1 + math.ceil(math.log(min(micros, LONGEST_US)) / LN_GAMMA)


class Sketch:
    """Counts by slot. Not thread-safe; equal when all counts are."""

    __slots__ = ("counts",)

    def __init__(self, counts: dict[int, int] | None = None) -> None:
        self.counts: dict[int, int] = {} if counts is None else counts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment] # it changes

    def __repr__(self) -> str:
        return f"Sketch({self.counts})"

    @property
    def size(self) -> int:
        """How many durations were counted."""
        return sum(self.counts.values())

    def add(self, slot: int, count: int = 1) -> None:
        """Count durations of one slot, a number of `slot_of`."""
        self.counts[slot] = self.counts.get(slot, 0) + count

    def merge(self, other: Sketch) -> None:
        """Add the durations of another sketch to this one."""
        self._add_all(other.counts.items())

    def merge_bytes(self, data: bytes | None) -> None:
        """Add what `to_bytes` wrote; None adds nothing. Raises `SketchError`."""
        if data is not None:
            numbers = _decode(data)
            self._add_all(zip(accumulate(numbers[::2]), numbers[1::2], strict=True))

    def percentiles(self, percents: Iterable[int]) -> list[int] | None:
        """Return about the smallest duration with at least that percentage of all at or below it.

        One for each of `percents`, which are from 1 to 100 and ascend. Microseconds, within `ALPHA`
        of the true ones plus half a microsecond of rounding; None for an empty sketch.
        """
        if not self.counts:
            return None
        size, reached, found = self.size, 0, []
        slots = iter(sorted(self.counts))
        slot = -1
        for percent in percents:
            while reached * 100 < size * percent:
                slot = next(slots)
                reached += self.counts[slot]
            found.append(_ESTIMATES[slot])
        return found

    def to_bytes(self) -> bytes | None:
        """Write the sketch: a version, then distance to the last slot and count of each slot.

        MessagePack. The first distance is to slot -1, so that none is 0. None for an empty sketch.
        """
        if not self.counts:
            return None
        numbers: list[int] = []
        last = -1
        for slot in sorted(self.counts):
            numbers += (slot - last, self.counts[slot])
            last = slot
        return bytes((_VERSION,)) + _encoder.encode(numbers)

    def _add_all(self, pairs: Iterable[tuple[int, int]]) -> None:
        counts, known = self.counts, self.counts.get
        for slot, count in pairs:
            counts[slot] = known(slot, 0) + count


def _decode(data: bytes) -> list[int]:
    """Return distances between slots and their counts in turn; the first one is from slot 0 on."""
    if not data or data[0] != _VERSION:
        raise SketchError(f"a sketch begins with the version {_VERSION}")
    if len(data) > MAX_BYTES:
        raise SketchError(f"a sketch has at most {MAX_BYTES:,} bytes, not {len(data):,}")
    try:
        numbers = _decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, RecursionError) as error:
        raise SketchError(str(error)) from None
    if len(numbers) % 2:
        raise SketchError("a slot has no count")
    if sum(numbers[::2]) > SLOTS:
        raise SketchError(f"there are {SLOTS:,} slots and no more")
    numbers[0] -= 1
    return numbers
