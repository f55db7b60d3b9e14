"""What engines hand out, as plain values of an event; what does not fit is left out.

Anybody with access to a broker can write what comes out of it, so each value is checked before it
is passed on. Nothing here raises.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

LATEST = (1 << 52) - 1
"""The latest time that an event can hold, in microseconds since the epoch."""

MAX_NAME = 255
MAX_MESSAGE = 4_096
MAX_TRACEBACK = 1 << 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now_us() -> int:
    """Return the present time in microseconds since the epoch."""
    return time.time_ns() // 1_000


def storable(at: int) -> int | None:
    """Return a time in microseconds since the epoch if events and schedules can hold it."""
    return at if 0 <= at <= LATEST else None


def micros(moment: object) -> int | None:
    """Return a datetime as microseconds since the epoch; naive means UTC."""
    if not isinstance(moment, datetime):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return storable((moment - _EPOCH) // _MICROSECOND)


def text_of(value: object) -> str | None:
    """Return a value if it is a text of sensible length."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME else None


def printed(value: object) -> str:
    """Return an object as text of sensible length; a stranger's `__str__` may raise anything."""
    try:
        return str(value)[:MAX_MESSAGE]
    except Exception:
        return f"<{type(value).__name__} that cannot be printed>"


def exception_of(error: object, name: object = None, module: object = None) -> dict[str, str]:
    """Return type and message; `module` tells types of the same name apart.

    `name` and `module` are those of the exception that `error` stands for, if it does.
    """
    module = module or type(error).__module__
    found = {"type": str(name or type(error).__name__)[:MAX_NAME], "message": printed(error)}
    if module != "builtins":
        found["module"] = str(module)[:MAX_NAME]
    return found


def traceback_of(text: object) -> dict[str, str]:
    """Return a traceback's text under its key: whole or not at all, because a cut before redaction
    could part a secret from the name that tells of it.
    """
    return {"traceback": text} if isinstance(text, str) and 0 < len(text) <= MAX_TRACEBACK else {}
