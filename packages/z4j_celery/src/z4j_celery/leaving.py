"""When a run was left, noted by the process that ran it.

A worker's parent hears of it only when it comes to the result: at a busy moment half a second
later. Of a success Celery tells how long it took; of a failure and of a retry it tells nothing, but
hands what was raised to the parent, and the note goes with it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

from celery.app.trace import TraceInfo

from z4j_agent.facts import now_us

_MARK = "z4j_left_at"


def note_ends() -> Callable[[], None]:
    """Note from now on, in this process and in those that it forks; return what undoes it.

    Celery's signals come too late for it: the traceback was printed before, and that alone takes a
    millisecond, the first time in a process a tenth of a second.
    """
    original = TraceInfo.handle_error_state

    @functools.wraps(original)
    def handle_error_state(self: Any, *args: Any, **options: Any) -> Any:
        at = now_us()
        info = original(self, *args, **options)
        with contextlib.suppress(Exception):  # the host's task must go on
            setattr(info, _MARK, at)
        return info

    def undo() -> None:
        if TraceInfo.handle_error_state is handle_error_state:
            TraceInfo.handle_error_state = original

    TraceInfo.handle_error_state = handle_error_state
    return undo


def left_at(info: Any, began: int, now: int) -> int:
    """Return the moment that is noted on an ExceptionInfo, `now` if there is none in between."""
    at = getattr(info, _MARK, None)
    return at if type(at) is int and began <= at <= now else now
