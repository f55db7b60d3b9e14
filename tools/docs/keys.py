"""The keys of events, as Markdown."""

from __future__ import annotations

import offers

from z4j_core.event_keys import KEYS
from z4j_core.events import ENDING_KINDS, Kind

_ENDS = frozenset(ENDING_KINDS)
_WORDS = {
    frozenset(Kind) - {Kind.UNKNOWN}: "all but unknown",
    _ENDS: "ends",
    _ENDS - {Kind.SUCCEEDED}: "ends but succeeded",
    _ENDS | {Kind.UNKNOWN}: "ends, unknown",
}


def of_events(_: str) -> str:
    """Return the table of all keys."""
    rows = [
        (f"`{name}`", key.written, _kinds(key.kinds), key.meaning) for name, key in KEYS.items()
    ]
    return offers.table(("key", "type", "on", "meaning"), rows)


def _kinds(kinds: frozenset[Kind]) -> str:
    return _WORDS.get(kinds) or ", ".join(kind.value for kind in Kind if kind in kinds)
