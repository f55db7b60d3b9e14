"""What a plugin does inside its engine's own calls must never fall through to them."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

LOGGED_FAILURES = 20
"""After so many failures of one place the log is silent, because they come with every task."""


class Guard:
    """Of one engine's plugin; `title` is the engine's name for people. Thread-safe."""

    def __init__(self, engine: str, title: str) -> None:
        self.logger = logging.getLogger(f"z4j.{engine}")
        self._title = title
        self._failures: Counter[str] = Counter()

    def guarded(self, handler: Callable[..., None]) -> Callable[..., None]:
        """Return the handler with its exceptions logged, never raised."""

        @functools.wraps(handler)
        def run(*args: Any, **kwargs: Any) -> None:
            try:
                handler(*args, **kwargs)
            except Exception:  # the host's task must go on
                self.complain(handler.__qualname__)

        return run

    def complain(self, place: str) -> None:
        """Log the exception in hand, unless that place failed too often."""
        self._failures[place] += 1
        if self._failures[place] <= LOGGED_FAILURES:
            self.logger.exception(
                "z4j could not report what %s did (%s); tasks are not affected. "
                "Please report this with the traceback.",
                self._title,
                place,
            )
