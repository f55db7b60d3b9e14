"""Bounds of one redacted value, and how they tighten when it does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SMALLEST_ITEMS: Final = 3  # a list cut to two would look like a pair of key and value
SMALLEST_STRING: Final = 64  # room for a mark and some text
SMALLEST_TOTAL: Final = 256


class OverBudgetError(Exception):
    """The value cannot fit the size limit; walk again with tighter limits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one walk: levels, entries a container, characters a string, bytes of JSON."""

    depth: int
    items: int
    string: int
    total: int

    def tighter(self) -> Limits:
        return Limits(
            max(self.depth - 2, 1),
            max(self.items // 4, SMALLEST_ITEMS),
            max(self.string // 4, SMALLEST_STRING),
            self.total,
        )

    @property
    def are_tightest(self) -> bool:
        return self.depth == 1 and self.items == SMALLEST_ITEMS and self.string == SMALLEST_STRING
