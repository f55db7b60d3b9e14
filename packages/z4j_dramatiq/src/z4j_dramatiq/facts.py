"""Dramatiq's things as plain values of an event: times, attempts, queues, tracebacks."""

from __future__ import annotations

import traceback
from typing import Any

from z4j_agent import facts

MAX_FRAMES = 100


def micros_of(milliseconds: object) -> int | None:
    """Return a time of Dramatiq's, milliseconds since the epoch, in microseconds."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    at = milliseconds * 1_000
    return int(at) if 0 <= at <= facts.LATEST else None


def attempt_of(options: Any) -> int:
    """Return the number of this run, from 0."""
    retries = options.get("retries")
    return retries if type(retries) is int and retries > 0 else 0


def canonical(queue: str) -> str:
    """Return the queue's own name for that of its delay queue or its dead letters."""
    return queue[:-3] if queue.endswith((".DQ", ".XQ")) else queue


def traceback_of(error: BaseException) -> dict[str, str]:
    """Return the traceback's text, under its key: whole, because a cut before redaction could part
    a secret from the name that tells of it.
    """
    try:
        text = "".join(traceback.format_exception(error, limit=MAX_FRAMES))
    except Exception:  # noqa: BLE001 - a stranger's `__str__`
        return {}
    return facts.traceback_of(text)
