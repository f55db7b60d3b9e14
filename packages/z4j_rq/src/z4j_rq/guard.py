"""What z4j does inside RQ's own calls must never fall through to them."""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rq.timeouts import BaseTimeoutException

logger = logging.getLogger("z4j.rq")

LOGGED_FAILURES = 20
"""After so many failures of one place the log is silent, because they come with every job."""

_failures: Counter[str] = Counter()


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
        _complain(what)
    if had_alarm and not _has_alarm():
        signal.raise_signal(signal.SIGALRM)


def _has_alarm() -> bool:
    """Tell whether a time limit is set for what runs in this thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        return False
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0


def _complain(what: str) -> None:
    _failures[what] += 1
    if _failures[what] <= LOGGED_FAILURES:
        logger.exception(
            "z4j could not report what RQ did (%s); jobs are not affected. "
            "Please report this with the traceback.",
            what,
        )
