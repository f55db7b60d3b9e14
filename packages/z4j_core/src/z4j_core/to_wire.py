"""From what a plugin reports to what may leave the process: redacted, bounded, always storable."""

from __future__ import annotations

from typing import Any

import msgspec

from z4j_core.events import (
    MAX_ATTEMPT,
    MAX_NAME,
    MAX_PAYLOAD,
    MAX_TASK_ID,
    TaskEvent,
    WireEvent,
)
from z4j_core.redaction import Redactor

_encode = msgspec.json.Encoder().encode
_LATEST = (1 << 52) - 1
_PREVIEWS = ("args", "kwargs")
_TRACEBACK, _TRACEBACK_HEAD, _TRACEBACK_TAIL = 24_000, 2_048, 12_288
_BULKY = ("traceback", "result", "kwargs", "args")


def to_wire(event: TaskEvent, redactor: Redactor) -> WireEvent:
    """Return the event as it travels. Never raises for any content of `event.data`.

    `data["arg_names"]`, the names of the task's parameters, lets positional arguments be judged by
    name; it does not travel. Adds `exact` when arguments are present: whether the previews equal
    the real arguments.
    A payload over the limit loses its bulkiest keys first and names them under `cut`.
    """
    return WireEvent(
        kind=event.kind,
        engine=event.engine,
        task_id=_clip(event.task_id, MAX_TASK_ID),
        attempt=min(max(event.attempt, 0), MAX_ATTEMPT),
        occurred_at=min(max(event.occurred_at, 0), _LATEST),
        name=None if event.name is None else _clip(event.name, MAX_NAME),
        queue=None if event.queue is None else _clip(event.queue, MAX_NAME),
        payload=_payload(event.data, redactor),
    )


def _payload(data: dict[str, Any], redactor: Redactor) -> bytes:
    if not data:
        return b"{}"
    known = dict(data)
    exact: bool | None = None
    previews: dict[str, object] = {}
    names = known.pop("arg_names", ())
    for key in _PREVIEWS:
        if key in known:
            value = known.pop(key)
            if key == "args" and names and isinstance(value, list | tuple):
                preview, is_exact = redactor.arguments(value, names)
            else:
                preview, is_exact = redactor.exactly(value)
            previews[key] = preview
            exact = is_exact and exact is not False
    traceback = known.pop("traceback", None)
    redacted = redactor.value(known)
    safe = dict(redacted) if isinstance(redacted, dict) else {}
    safe.update(previews)
    if isinstance(traceback, str):
        safe["traceback"] = _redacted_traceback(traceback, redactor)
    if exact is not None:
        safe["exact"] = exact
    return _bounded(safe)


def _bounded(safe: dict[str, Any]) -> bytes:
    payload = _encode(safe)
    for key in _BULKY:
        if len(payload) <= MAX_PAYLOAD:
            return payload
        if safe.pop(key, None) is not None:
            safe.setdefault("cut", []).append(key)
            if key in _PREVIEWS:
                safe["exact"] = False
            payload = _encode(safe)
    return payload if len(payload) <= MAX_PAYLOAD else b'{"cut":["everything"]}'


def _redacted_traceback(text: str, redactor: Redactor) -> str:
    """Keep both ends: the entry point is at the head, the cause at the tail.

    Cut only between lines, at the tail between frames: a cut between a key and its value would
    hide the key from the rules.
    """
    if len(text) <= _TRACEBACK:
        return redactor.text(text)
    head_end = text.rfind("\n", 0, _TRACEBACK_HEAD) + 1
    tail_start = text.find("\n  File ", len(text) - _TRACEBACK_TAIL)
    if tail_start < 0:
        tail_start = text.find("\n", len(text) - _TRACEBACK_TAIL)
    if tail_start < 0:
        return redactor.text(text[:_TRACEBACK])
    cut = tail_start - head_end
    head, tail = redactor.text(text[:head_end]), redactor.text(text[tail_start:])
    return f"{head}… [cut, {cut} characters] …{tail}"


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
