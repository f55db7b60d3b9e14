"""Dramatiq's things as plain values of an event: times, exceptions, tracebacks."""

from __future__ import annotations

import time
import traceback
from typing import Any

MAX_MESSAGE = 4_096
MAX_TRACEBACK = 1 << 20
MAX_FRAMES = 100
LATEST = (1 << 52) - 1


def now_us() -> int:
    """Return the present time in microseconds since the epoch."""
    return time.time_ns() // 1_000


def micros_of(milliseconds: object) -> int | None:
    """Return a time of Dramatiq's, milliseconds since the epoch, in microseconds."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    at = milliseconds * 1_000
    return int(at) if 0 <= at <= LATEST else None


def attempt_of(options: Any) -> int:
    """Return the number of this run, from 0."""
    retries = options.get("retries")
    return retries if type(retries) is int and retries > 0 else 0


def canonical(queue: str) -> str:
    """Return the queue's own name for that of its delay queue or its dead letters."""
    return queue[:-3] if queue.endswith((".DQ", ".XQ")) else queue


def printed(value: object) -> str:
    """Return an object as text of sensible length; a stranger's `__str__` may raise anything."""
    try:
        return str(value)[:MAX_MESSAGE]
    except Exception:  # noqa: BLE001 - a stranger's `__str__`
        return f"<{type(value).__name__} that cannot be printed>"


def exception_of(error: BaseException) -> dict[str, str]:
    """Return type and message; `module` tells types of the same name apart."""
    found = {"type": type(error).__name__[:255], "message": printed(error)}
    if (module := type(error).__module__) != "builtins":
        found["module"] = str(module)[:255]
    return found


def traceback_of(error: BaseException) -> dict[str, str]:
    """Return the traceback's text, under its key: whole, because a cut before redaction could part
    a secret from the name that tells of it.
    """
    try:
        text = "".join(traceback.format_exception(error, limit=MAX_FRAMES))
    except Exception:  # noqa: BLE001 - a stranger's `__str__`
        return {}
    return {"traceback": text} if 0 < len(text) <= MAX_TRACEBACK else {}
