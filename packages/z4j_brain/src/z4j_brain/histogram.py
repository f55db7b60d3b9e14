"""A histogram in plain numbers, for paths that must stay cheap."""

from __future__ import annotations

from bisect import bisect_left

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds that suit requests and transactions, in seconds."""


class Histogram:
    """Counts values up to each bound, inclusive, and sums them.

    One thread observes. Any thread may read; it can miss the value that is just being added.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Add one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[float, int]]:
        """Return each bound with the number of values up to it; the last bound is infinite."""
        buckets, number = [], 0
        for bound, count in zip((*self._bounds, float("inf")), tuple(self._counts), strict=True):
            number += count
            buckets.append((bound, number))
        return buckets
