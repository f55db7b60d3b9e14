"""What the doctor says."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How grave it is. Only `BAD` changes the exit code."""

    GOOD = "ok"
    LOOK = "look"
    BAD = "BAD"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, with what to do about it."""

    level: Level
    text: str


def good(text: str) -> Finding:
    """Say that something is in order."""
    return Finding(Level.GOOD, text)


def look(text: str) -> Finding:
    """Say that something may be meant so, or is dangerous."""
    return Finding(Level.LOOK, text)


def bad(text: str) -> Finding:
    """Say that something is wrong."""
    return Finding(Level.BAD, text)
