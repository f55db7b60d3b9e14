"""Remembers signatures: failures repeat, and reading a traceback costs more than all else.

Bounded by two generations: when the younger one is full it becomes the older one, and what is asked
for again moves back. Threads may share it: at worst something is read twice.
"""

from __future__ import annotations

from z4j_brain.issues.signature import Failure, Signature, signature_of
from z4j_brain.issues.traceback import BEGINNINGS

MAX_ENTRIES = 1_024
MAX_CHARACTERS = 2_097_152
"""Of a generation, in the texts by which signatures are known."""

Key = tuple[str, ...]


class Signatures:
    """`of(failure)` equals `signature_of(failure)`, quicker the second time."""

    def __init__(self) -> None:
        self._young: dict[Key, Signature] = {}
        self._old: dict[Key, Signature] = {}
        self._characters = 0

    def of(self, failure: Failure) -> Signature:
        """Return the signature of a failure."""
        key = _key(failure)
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key) or signature_of(failure)
            self._remember(key, found)
        return found

    @property
    def size(self) -> int:
        """How many signatures are remembered."""
        return len(self._young) + len(self._old)

    def _remember(self, key: Key, signature: Signature) -> None:
        self._characters += sum(map(len, key))
        if len(self._young) >= MAX_ENTRIES or self._characters > MAX_CHARACTERS:
            self._old, self._young = self._young, {}
            self._characters = sum(map(len, key))
        self._young[key] = signature


def _key(failure: Failure) -> Key:
    """What a signature depends on. The message after the last frame differs each time, so it is
    left out, unless what follows tells of more exceptions.
    """
    text = failure.traceback
    if not text:
        return (failure.type, failure.module, failure.message, failure.task_name)
    if failure.type and "\x1b" not in text and "+-" not in text:
        last = text.rfind('  File "')
        end = text.find("\n", last)
        if last >= 0 and end >= 0 and not any(text.find(word, end) >= 0 for word in BEGINNINGS):
            text = text[:end]
    return (failure.type, failure.module, text, failure.task_name)
