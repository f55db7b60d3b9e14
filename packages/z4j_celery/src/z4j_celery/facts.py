"""Celery's things as plain values of an event: times, exceptions, results, header fields.

Everything here comes out of messages that anybody with access to the broker can write, so each
value is checked before it is passed on; what does not fit is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from z4j_agent import facts
from z4j_agent.facts import LATEST, now_us, storable, text_of

PUBLISHED_AT = "z4j_published_at"
RETRIED_FROM = "z4j_retried_from"
SCHEDULE = "periodic_task_name"
"""Set by django-celery-beat; for the other schedulers by z4j, in the process of beat."""
MAX_RESULT = 4_096

_NOTHING: Mapping[str, Any] = {}
_CONSTANTS = {"None": None, "True": True, "False": False}
_LITERAL_STARTS = frozenset("'\"{[(-0123456789")


def micros(moment: object) -> int | None:
    """Return an ISO 8601 text or a datetime as microseconds since the epoch; naive means UTC."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
    return facts.micros(moment)


def retry_at(when: object) -> int | None:
    """Return the time that a `Retry` names, as seconds from now or as a datetime."""
    if isinstance(when, bool) or not isinstance(when, int | float):
        return micros(when)
    return storable(now_us() + int(when * 1_000_000)) if 0 <= when < 1e9 else None


def attempt_of(headers: Mapping[str, Any]) -> int:
    """Return the number of this run, from 0."""
    retries = headers.get("retries")
    return retries if isinstance(retries, int) and retries > 0 else 0


def origin(headers: Mapping[str, Any], task_id: str) -> Mapping[str, Any]:
    """Return when this message was published, which task it repeats and which schedule it came
    from, as far as stamped.
    """
    get = headers.get
    stamp, source, schedule = get(PUBLISHED_AT), get(RETRIED_FROM), get(SCHEDULE)
    if stamp is source is schedule is None:
        return _NOTHING
    data: dict[str, Any] = {}
    if isinstance(stamp, int) and 0 < stamp <= LATEST:
        data["published_at"] = stamp
    if source is not None and source != task_id and (source := text_of(source)) is not None:
        data["retried_from"] = source
    if schedule is not None and (schedule := text_of(schedule)) is not None:
        data["schedule"] = schedule
    return data


def add_relations(data: dict[str, Any], headers: Mapping[str, Any], task_id: str) -> None:
    """Add parent, root, group, due time and expiry of a task, as far as there are any."""
    get = headers.get
    root, parent, group = get("root_id"), get("parent_id"), get("group")
    if root is not None:
        # The same object where the task is its own root: it need not be looked at again.
        _add(data, "root_id", task_id if root == task_id else text_of(root))
    if parent is not None:
        _add(data, "parent_id", text_of(parent))
    if group is not None:
        _add(data, "group_id", text_of(group))
    eta, expires = get("eta"), get("expires")
    if eta is not None:
        _add(data, "eta", micros(eta))
    if expires is not None:
        _add(data, "expires", micros(expires))


def _add(data: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        data[key] = value


def exception_of(error: object) -> dict[str, str]:
    """Return type and message; a wrapper stands for an exception that could not be pickled."""
    name, module = getattr(error, "exc_cls_name", None), getattr(error, "exc_module", None)
    return facts.exception_of(error, name, module)


def traceback_of(info: object) -> dict[str, str]:
    """Return the traceback of Celery's ExceptionInfo, under its key, if there is one."""
    return facts.traceback_of(getattr(info, "traceback", None))


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
