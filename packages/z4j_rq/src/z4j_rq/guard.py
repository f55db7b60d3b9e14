"""What z4j does inside RQ's own calls must never fall through to them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rq.timeouts import BaseTimeoutException

from z4j_agent.guard import Guard

_guard = Guard("rq", "RQ")
logger = _guard.logger


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Log exceptions, never raise them; except RQ's time limit.

    That is a SIGALRM whose handler raises, once, wherever the job just is. Swallowed in a report of
    ours, or in the host's `emit`, it would leave the job without any limit.
    """
    had_alarm = _has_alarm()
    try:
        yield
    except BaseTimeoutException:
        raise
    except Exception:  # noqa: BLE001 - the host's job must go on
        _guard.complain(what)
    if had_alarm and not _has_alarm():
        signal.raise_signal(signal.SIGALRM)


def _has_alarm() -> bool:
    """Tell whether a time limit is set for what runs in this thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        return False
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0
