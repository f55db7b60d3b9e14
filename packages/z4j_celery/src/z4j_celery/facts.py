"""Celery's things as plain values of an event: times, exceptions, results, header fields.

Everything here comes out of messages that anybody with access to the broker can write, so each
value is checked before it is passed on; what does not fit is left out.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

PUBLISHED_AT = "z4j_published_at"
RETRIED_FROM = "z4j_retried_from"
SCHEDULE = "periodic_task_name"
"""Set by django-celery-beat; for the other schedulers by z4j, in the process of beat."""
LATEST = (1 << 52) - 1
MAX_MESSAGE = 4_096
MAX_TRACEBACK = 1 << 20
MAX_RESULT = 4_096

_RELATIONS = (("parent_id", "parent_id"), ("root_id", "root_id"), ("group_id", "group"))
_TIMES = ("eta", "expires")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CONSTANTS = {"None": None, "True": True, "False": False}
_LITERAL_STARTS = frozenset("'\"{[(-0123456789")


def now_us() -> int:
    """Return the present time in microseconds since the epoch."""
    return time.time_ns() // 1_000


def micros(moment: object) -> int | None:
    """Return an ISO 8601 text or a datetime as microseconds since the epoch; naive means UTC."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
    if not isinstance(moment, datetime):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return storable((moment - _EPOCH) // _MICROSECOND)


def retry_at(when: object) -> int | None:
    """Return the time that a `Retry` names, as seconds from now or as a datetime."""
    if isinstance(when, bool) or not isinstance(when, int | float):
        return micros(when)
    return storable(now_us() + int(when * 1_000_000)) if 0 <= when < 1e9 else None


def storable(at: int) -> int | None:
    """Return a time in microseconds since the epoch if events and schedules can hold it."""
    return at if 0 <= at <= LATEST else None


def attempt_of(headers: Mapping[str, Any]) -> int:
    """Return the number of this run, from 0."""
    retries = headers.get("retries")
    return retries if isinstance(retries, int) and retries > 0 else 0


def text_of(value: object) -> str | None:
    """Return a header's value if it is a text of sensible length."""
    return value if isinstance(value, str) and 0 < len(value) <= 255 else None


def origin(headers: Mapping[str, Any], task_id: str) -> dict[str, Any]:
    """Return when this message was published, which task it repeats and which schedule it came
    from, as far as stamped.
    """
    data: dict[str, Any] = {}
    stamp = headers.get(PUBLISHED_AT)
    if isinstance(stamp, int) and 0 < stamp <= LATEST:
        data["published_at"] = stamp
    source = headers.get(RETRIED_FROM)
    if source is not None and source != task_id and (source := text_of(source)) is not None:
        data["retried_from"] = source
    schedule = headers.get(SCHEDULE)
    if schedule is not None and (schedule := text_of(schedule)) is not None:
        data["schedule"] = schedule
    return data


def relations(headers: Mapping[str, Any], task_id: str) -> dict[str, Any]:
    """Return parent, root, group, due time and expiry of a task."""
    data: dict[str, Any] = {}
    get = headers.get
    for key, header in _RELATIONS:
        if (value := get(header)) is not None:
            # The same object where the task is its own root: it need not be looked at again.
            text = task_id if value == task_id else text_of(value)
            if text is not None:
                data[key] = text
    for key in _TIMES:
        if (value := get(key)) is not None and (value := micros(value)) is not None:
            data[key] = value
    return data


def printed(value: object) -> str:
    """Return an object as text of sensible length; a stranger's `__str__` may raise anything."""
    try:
        return str(value)[:MAX_MESSAGE]
    except Exception:  # noqa: BLE001
        return f"<{type(value).__name__} that cannot be printed>"


def exception_of(error: object) -> dict[str, str]:
    """Return type and message; `module` tells types of the same name apart."""
    # A wrapper stands for an exception that could not be pickled.
    name = getattr(error, "exc_cls_name", None) or type(error).__name__
    module = getattr(error, "exc_module", None) or type(error).__module__
    found = {"type": str(name)[:255], "message": printed(error)}
    if module != "builtins":
        found["module"] = str(module)[:255]
    return found


def traceback_of(info: object) -> dict[str, str]:
    """Return a traceback's text, under its key, if there is one: whole, because a cut before
    redaction could part a secret from the name that tells of it.
    """
    text = getattr(info, "traceback", None)
    return {"traceback": text} if isinstance(text, str) and 0 < len(text) <= MAX_TRACEBACK else {}


def result_of(text: object) -> object:
    """Return a task's result from its `repr`, which is all that the worker's parent is told.

    Read back as a value where possible, so that redaction sees its keys.
    """
    if not isinstance(text, str) or len(text) > MAX_RESULT:
        return str(text)[:MAX_RESULT]
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[:1] in _LITERAL_STARTS:
        try:
            value: object = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
        return value
    return text
