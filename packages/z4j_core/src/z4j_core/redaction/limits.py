"""Bounds of one redacted value, and how they tighten when it does not fit."""

from __future__ import annotations

from dataclasses import dataclass


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
            max(self.depth - 2, 1), max(self.items // 4, 2), max(self.string // 4, 64), self.total
        )

    @property
    def are_tightest(self) -> bool:
        return self.depth == 1 and self.items == 2 and self.string == 64
