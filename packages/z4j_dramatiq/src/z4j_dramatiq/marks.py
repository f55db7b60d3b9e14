"""What z4j writes into a message's options: when it was published, and where it belongs.

One option, ``z4j``, holds a small dict of texts and integers, so that every encoder can carry it.
Whoever can write to the broker can write it too, so each value is checked when it is read.
"""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import LATEST

OPTION = "z4j"
MAX_TEXT = 255
_TIMES = ("published_at", "eta")
_TEXTS = ("parent_id", "root_id", "group_id", "retried_from")


def marks_of(options: Any) -> dict[str, Any]:
    """Return what is marked, under the names that events use; what does not fit is left out."""
    marks = options.get(OPTION)
    if not isinstance(marks, dict):
        return {}
    found: dict[str, Any] = {}
    for key in _TIMES:
        value = marks.get(key)
        if type(value) is int and 0 < value <= LATEST:
            found[key] = value
    for key in _TEXTS:
        value = marks.get(key)
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            found[key] = value
    return found


def mark(options: dict[str, Any], marks: dict[str, Any]) -> None:
    """Write the marks; a new dict, as copies of a message share the old one."""
    options[OPTION] = {key: value for key, value in marks.items() if value is not None}
