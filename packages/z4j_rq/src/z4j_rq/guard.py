"""What z4j does inside RQ's own calls must never fall through to them."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("z4j.rq")

LOGGED_FAILURES = 20
"""After so many failures of one place the log is silent, because they come with every job."""

_failures: Counter[str] = Counter()


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Log exceptions, never raise them.

    RQ's time limit, a SIGALRM that raises, is put off until the end of the block: swallowed here,
    it would leave the job without any limit.
    """
    before = _block_alarm()
    try:
        yield
    except Exception:  # noqa: BLE001 - the host's job must go on
        _failures[what] += 1
        if _failures[what] <= LOGGED_FAILURES:
            logger.exception(
                "z4j could not report what RQ did (%s); jobs are not affected. "
                "Please report this with the traceback.",
                what,
            )
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _block_alarm() -> set[signal.Signals | int] | None:
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM}))
