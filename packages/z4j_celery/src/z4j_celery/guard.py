"""What z4j does inside Celery's own calls must never fall through to them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("z4j.celery")

LOGGED_FAILURES = 20
"""After so many failures of one handler the log is silent, because they come with every task."""


def guarded(handler: Callable[..., None]) -> Callable[..., None]:
    """Return the handler with its exceptions logged, never raised."""
    failures = 0

    @functools.wraps(handler)
    def run(*args: Any, **kwargs: Any) -> None:
        nonlocal failures
        try:
            handler(*args, **kwargs)
        except Exception:  # noqa: BLE001 - the host's task must go on
            failures += 1
            if failures <= LOGGED_FAILURES:
                logger.exception(
                    "z4j could not report what Celery did (%s); tasks are not affected. "
                    "Please report this with the traceback.",
                    handler.__name__,
                )

    return run
