"""When a run was left, noted by the process that ran it.

A worker's parent hears of it only when it comes to the result: at a busy moment half a second
later. Of a success Celery tells how long it took; of a failure and of a retry it tells nothing, but
hands what was raised to the parent, and the note goes with it.
"""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import now_us

_MARK = "z4j_left_at"


def note(einfo: Any = None, **_: Any) -> None:
    """Handle Celery's signals of a failure and of a retry."""
    if einfo is not None:
        setattr(einfo, _MARK, now_us())


def left_at(info: Any, began: int, now: int) -> int:
    """Return the moment that is noted on an ExceptionInfo, `now` if there is none in between."""
    at = getattr(info, _MARK, None)
    return at if type(at) is int and began <= at <= now else now
