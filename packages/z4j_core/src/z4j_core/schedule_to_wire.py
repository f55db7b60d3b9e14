"""From what a scheduler tells to what may leave the process: redacted, and never too large."""

from __future__ import annotations

from typing import Any

import msgspec

from z4j_core.redaction import Redactor
from z4j_core.schedules import MAX_JSON, MAX_NAMES, Schedule, WireSchedule

_TEXTS = ("name", "timing", "task", "queue", "timezone", "undone_by")
_SAME = ("id", "owner", "every_s", "enabled", "last_run_at", "next_run_at", "runs")
_encode = msgspec.json.Encoder().encode
_LONGEST = {"undone_by": 500}


def to_wire_schedule(schedule: Schedule, redactor: Redactor) -> WireSchedule:
    """Return the schedule as it travels.

    Raises `msgspec.ValidationError` for what breaks the limits of its type in another way than by
    the length of a text, of `arguments` or of `values`: these are cut or left out.
    """
    told: dict[str, Any] = {name: getattr(schedule, name) for name in _SAME}
    for name in _TEXTS:
        told[name] = _text(getattr(schedule, name), redactor, _LONGEST.get(name, 255))
    told["absent"] = {
        name: _text(reason, redactor, 500)
        for name, reason in list(schedule.absent.items())[:MAX_NAMES]
    }
    told["arguments"] = _json(redactor.value(schedule.arguments), b'{"cut":["everything"]}')
    values, hidden = _values(schedule.values, redactor)
    told["values"], told["hidden"] = _json(values, b"{}"), hidden
    return msgspec.convert(msgspec.to_builtins(told, builtin_types=(bytes,)), WireSchedule)


def _text(text: str | None, redactor: Redactor, limit: int) -> str | None:
    if text is None:
        return None
    safe = redactor.text(text)
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _values(values: dict[str, Any], redactor: Redactor) -> tuple[dict[str, Any], list[str]]:
    """Leave out what redaction would change: whoever saves a form must not save a mask."""
    shown: dict[str, Any] = {}
    hidden: list[str] = []
    for name, value in values.items():
        safe, is_exact = redactor.exactly({name: value})
        if is_exact and isinstance(safe, dict) and len(_encode(safe)) <= MAX_JSON // 4:
            shown.update(safe)
        elif len(hidden) < MAX_NAMES:
            hidden.append(str(name)[:255])
    return shown, hidden


def _json(value: object, instead: bytes) -> bytes:
    encoded = _encode(value)
    return encoded if len(encoded) <= MAX_JSON else instead
