"""For a project whose stored rules cannot be used: everything that is free text is hidden.

Its writes are not refused: its agents would fill their spools and drop what does not fit, which is
a greater loss than texts that nobody sees. Names, ids, states and times stay, so the project can
still be watched while its rules are put right.
"""

from __future__ import annotations

from typing import Any

import msgspec

from z4j_brain.redaction.cleaner import Cleaner
from z4j_core.redaction import MASK, Counts, RedactionError, Redactor

CLOSED_RULE = "closed"
"""What is hidden because of this has this name in the metrics."""
_KEPT = frozenset(
    {"eta", "published_at", "run_us", "priority", "since"}
    | {"parent_id", "root_id", "group_id", "retried_from"}
)
"""Keys of an event's payload that its task is found and timed by."""
_KEPT_OF_EXCEPTION = frozenset({"type", "module"})


class Closed(Cleaner):
    """Hides what the project's rules would have been asked about. Thread-safe."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(counts=counts)
        self._built_in = self.events
        self.events = _Hiding(counts)
        self.results = _Hiding(counts)
        self.params = _Hiding(counts)
        self.audit = _Hiding(counts)

    def payload(self, payload: bytes) -> bytes:
        """Hide all of an event's payload but what its task is found and timed by."""
        known = msgspec.json.decode(self._built_in.json(payload))
        if not isinstance(known, dict):
            raise RedactionError("payload is not a JSON object")
        self.events.counts.add(CLOSED_RULE)
        shown = {name: _of_event(name, value) for name, value in known.items()}
        return msgspec.json.encode(shown)


class _Hiding(Redactor):
    def __init__(self, counts: Counts) -> None:
        super().__init__(counts=counts, max_bytes=1 << 20)

    def value(self, value: object) -> object:
        """Hide a value; what kind of container it was stays."""
        self.counts.add(CLOSED_RULE)
        return _hidden(value)

    def exactly(self, value: object) -> tuple[object, bool]:
        """Hide a value, which is then not exact."""
        return self.value(value), False

    def text(self, text: str) -> str:
        """Hide a text."""
        return str(self.value(text))


def _of_event(name: str, value: Any) -> Any:
    if name in _KEPT:
        return value
    if name == "exact":
        return False
    if name == "exception" and isinstance(value, dict):
        return {
            key: inner if key in _KEPT_OF_EXCEPTION else _hidden(inner)
            for key, inner in value.items()
        }
    return _hidden(value)


def _hidden(value: object) -> object:
    if value is None or value == "":
        return value
    if isinstance(value, dict):
        return {MASK: MASK} if value else {}
    if isinstance(value, list | tuple):
        return [MASK] if value else []
    return MASK
