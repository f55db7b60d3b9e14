"""What z4j does inside Dramatiq's calls must never fall through to them, nor flood the log."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("z4j.dramatiq")

LOGGED_FAILURES = 20
"""After so many failures of one handler the log is silent, because they come with every task."""

_failures: Counter[str] = Counter()


def guarded(handler: Callable[..., None]) -> Callable[..., None]:
    """Return the handler with its exceptions logged, never raised."""

    @functools.wraps(handler)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            handler(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the host's task must go on
            complain(handler.__qualname__)

    return run


def complain(name: str) -> None:
    """Log the exception in hand, unless the handler of that name failed too often."""
    _failures[name] += 1
    if _failures[name] <= LOGGED_FAILURES:
        logger.exception(
            "z4j failed in Dramatiq's middleware (%s); tasks are not affected. "
            "Please report this with the traceback.",
            name,
        )
