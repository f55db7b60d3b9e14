"""What a filter means, as a tree of frozen values."""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_LENGTH = 1_000
"""Characters of a filter."""
MAX_TERMS = 20

ContainsKey = Literal["queue", "name", "engine", "worker", "exception"]
ExactKey = Literal["parent", "root", "group", "retried_from", "issue"]
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class FilterError(Exception):
    """A filter that cannot be read. `start` and `end` are offsets in characters."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


class StateIs(msgspec.Struct, frozen=True):
    """The state is one of these."""

    states: tuple[str, ...]


class TextIs(msgspec.Struct, frozen=True):
    """The field equals one of these, letter by letter."""

    key: ContainsKey | ExactKey
    values: tuple[str, ...]


class TextContains(msgspec.Struct, frozen=True):
    """The field contains one of these; the case of ASCII letters does not matter."""

    key: ContainsKey
    values: tuple[str, ...]


class IdStartsWith(msgspec.Struct, frozen=True):
    """The task id begins with one of these."""

    values: tuple[str, ...]


class Ago(msgspec.Struct, frozen=True):
    """A span before now; `unit` is a key of `UNIT_SECONDS`."""

    count: int
    unit: str


class At(msgspec.Struct, frozen=True):
    """A point in time, in microseconds since the epoch."""

    micros: int


class FirstAt(msgspec.Struct, frozen=True):
    """The task was first heard of not before (`since`) or not after (`until`) this moment."""

    edge: Literal["since", "until"]
    moment: Ago | At

    def micros(self, now: int) -> int:
        """Return the moment in microseconds since the epoch, never below 0."""
        if isinstance(self.moment, At):
            return self.moment.micros
        span = self.moment.count * UNIT_SECONDS[self.moment.unit] * 1_000_000
        return max(now - span, 0)


class Word(msgspec.Struct, frozen=True):
    """The name contains this, or the task id begins with it."""

    text: str


Condition = StateIs | TextIs | TextContains | IdStartsWith | FirstAt | Word


class Term(msgspec.Struct, frozen=True):
    """One condition, or its opposite. A task whose field is unknown meets the opposite."""

    condition: Condition
    negated: bool = False


class Filter(msgspec.Struct, frozen=True):
    """Every term must hold; no term lets every task through."""

    terms: tuple[Term, ...] = ()
