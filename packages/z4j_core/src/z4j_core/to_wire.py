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
from z4j_core.seal import MAX_ORIGINAL, Seal

_encode = msgspec.json.Encoder().encode
_LATEST = (1 << 52) - 1
_STORABLE = range(_LATEST + 1)
_PREVIEWS = ("args", "kwargs")
_NUMBERS = frozenset(
    {"published_at", "eta", "expires", "retry_at", "run_us", "pid", "priority", "redelivered"}
)
"""Keys of ours whose values are numbers below 2^52 or truth values."""

_OURS = frozenset({"result", "root_id", "parent_id", "group_id", "retried_from", "shadow"})
_TRACEBACK, _TRACEBACK_HEAD, _TRACEBACK_TAIL = 24_000, 2_048, 12_288
_BULKY = ("traceback", "result", "kwargs", "args")


def to_wire(event: TaskEvent, redactor: Redactor, seal: Seal | None = None) -> WireEvent:
    """Return the event as it travels. Never raises for any content of `event.data`.

    `data["arg_names"]`, the names of the task's parameters, lets positional arguments be judged by
    name; it does not travel. Adds `exact` when arguments are present: whether the previews equal
    the real arguments.
    A payload over the limit loses its bulkiest keys first and names them under `cut`.
    `data["original"]` is sealed when the previews are not exact and `seal` is given; where it
    cannot be, `unsealed` says why.
    """
    task_id, name, queue = event.task_id, event.name, event.queue
    attempt, occurred_at = event.attempt, event.occurred_at
    # Numbers of ours, None, and the task's own id cannot hold a secret; they are most of what
    # travels, and to look at them would be most of what an event costs the host.
    data = event.data
    doubtful: list[str] = []
    for key, value in data.items():
        if key in _NUMBERS:
            if (type(value) is int and value in _STORABLE) or type(value) is bool:
                continue
        elif (value is None or value is task_id or type(value) is bool) and key in _OURS:
            continue
        doubtful.append(key)
    sealed = None
    if doubtful:
        payload, sealed = _redacted(event, doubtful, redactor, seal)
    else:
        payload = _encode(data)
    if (
        len(task_id) > MAX_TASK_ID
        or (name is not None and len(name) > MAX_NAME)
        or (queue is not None and len(queue) > MAX_NAME)
        or not 0 <= attempt <= MAX_ATTEMPT
        or not 0 <= occurred_at <= _LATEST
    ):
        task_id, attempt = _clip(task_id, MAX_TASK_ID), min(max(attempt, 0), MAX_ATTEMPT)
        occurred_at = min(max(occurred_at, 0), _LATEST)
        name = None if name is None else _clip(name, MAX_NAME)
        queue = None if queue is None else _clip(queue, MAX_NAME)
    return WireEvent(
        event.kind, event.engine, task_id, attempt, occurred_at, name, queue, payload, sealed
    )


def without_seal(event: WireEvent, reason: str) -> WireEvent:
    """Return the event without its sealed payload, and with the reason, one sentence of ours."""
    payload = _with_reason(msgspec.json.decode(event.payload), reason, event.payload)
    return msgspec.structs.replace(event, payload=payload, sealed=None)


def _sealed(
    event: TaskEvent, original: Any, seal: Seal, safe: dict[str, Any], payload: bytes
) -> tuple[bytes, bytes | None]:
    """Return the payload and the envelope; without one, the payload says why."""
    try:
        data = original()
        if data is None:
            reason = "The engine could not tell the real arguments of this task."
        elif len(data) > MAX_ORIGINAL:
            reason = f"Their message has {len(data):,} bytes; at most {MAX_ORIGINAL:,} are sealed."
        else:
            return payload, seal(event.engine, _clip(event.task_id, MAX_TASK_ID), data)
    except Exception as error:  # a stranger's engine must not lose its event
        reason = f"Sealing failed ({type(error).__name__[:100]})."
    return _with_reason(safe, reason, payload), None


def _with_reason(data: dict[str, Any], reason: str, payload: bytes) -> bytes:
    explained = _encode(data | {"unsealed": reason})
    return explained if len(explained) <= MAX_PAYLOAD else payload


def _redacted(
    event: TaskEvent, doubtful: list[str], redactor: Redactor, seal: Seal | None
) -> tuple[bytes, bytes | None]:
    """Return the payload, what is doubtful redacted and the rest as it is, and the envelope."""
    safe, known = event.data.copy(), {}
    for key in doubtful:
        known[key] = safe.pop(key)
    original = known.pop("original", None)
    names = known.pop("arg_names", None)
    exact: bool | None = None
    if "args" in known:
        args = known.pop("args")
        if names and isinstance(args, list | tuple):
            safe["args"], exact = redactor.arguments(args, names)
        else:
            safe["args"], exact = redactor.exactly(args)
    if "kwargs" in known:
        safe["kwargs"], is_exact = redactor.exactly(known.pop("kwargs"))
        exact = is_exact and exact is not False
    if known:
        traceback = known.pop("traceback", None)
        if isinstance(traceback, str):
            safe["traceback"] = _redacted_traceback(traceback, redactor)
        redacted = redactor.value(known)
        if isinstance(redacted, dict):
            safe.update(redacted)
    if exact is not None:
        safe["exact"] = exact
    payload = _encode(safe)
    if len(payload) > MAX_PAYLOAD:
        payload = _bounded(safe)
    if original is not None and seal is not None and safe.get("exact") is False:
        return _sealed(event, original, seal, safe, payload)
    return payload, None


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
