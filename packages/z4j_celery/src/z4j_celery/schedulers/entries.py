"""An entry of a scheduler of Celery, as z4j tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from z4j_agent.facts import printed, text_of
from z4j_celery.facts import micros
from z4j_celery.schedulers.timing import Timing, next_run, of_app, timing_of
from z4j_core.schedules import Owner, Schedule

MAX_TEXT = 255


def told(
    *,
    name: object,
    schedule: Any,
    owner: Owner,
    task: object,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    options: Mapping[str, Any] | None,
    since: datetime | None,
    last_run: datetime | None,
    runs: int | None,
    enabled: bool = True,
    app: Any = None,
    **more: Any,
) -> Schedule | None:
    """Return what is told of an entry; None if its name is none: empty, or over 255 characters.

    `since` is the time from which Celery reckons the next run, in the time zone of `app`. A
    schedule of a stranger's making that cannot say when it runs harms no other.
    """
    if not is_name(name):
        return None
    timing, next_at = _timing(of_app(schedule, app), since if enabled else None)
    fields: dict[str, Any] = {
        "id": name,
        "name": name,
        "owner": owner,
        "timing": clean(timing.text),
        "every_s": timing.every_s,
        "timezone": None if timing.timezone is None else clean(timing.timezone),
        "task": text_of(task),
        "queue": _queue(options or {}),
        "arguments": {"args": list(args or ()), "kwargs": dict(kwargs or {})},
        "enabled": enabled,
        "last_run_at": None if last_run is None else micros(last_run),
        "next_run_at": next_at,
        "runs": runs,
    }
    return Schedule(**{**fields, **more})


def is_name(name: object) -> bool:
    """Tell whether a schedule can be told by this name."""
    return isinstance(name, str) and 0 < len(name) <= MAX_TEXT and "\0" not in name


def clean(text: str) -> str:
    """Return a text of at most 255 characters without NUL."""
    text = text.replace("\0", " ")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _timing(schedule: Any, since: datetime | None) -> tuple[Timing, int | None]:
    try:
        timing = timing_of(schedule)
    except Exception:  # noqa: BLE001 - a schedule may be of anybody's making
        return Timing(printed(schedule)), None
    try:
        return timing, None if since is None else next_run(schedule, since)
    except Exception:  # noqa: BLE001 - as above
        return timing, None


def _queue(options: Mapping[str, Any]) -> str | None:
    queue = options.get("queue")
    return text_of(getattr(queue, "name", queue))
