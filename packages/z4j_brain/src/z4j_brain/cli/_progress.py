"""A count that moves on the terminal while long work runs; nothing where there is none."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

_EVERY = 5_000
_LEAST_S = 0.1


class Progress:
    """Shows on standard error how many there are by now; clears its line at the end."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._shown_at_s = 0.0
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def step(self) -> None:
        """Count one more."""
        self._count += 1
        if not self._is_terminal or self._count % _EVERY:
            return
        now_s = time.monotonic()
        if now_s - self._shown_at_s >= _LEAST_S:
            self._shown_at_s = now_s
            sys.stderr.write(f"\r{self._count:,} {self._what}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, before something else is shown."""
        if self._shown_at_s:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown_at_s = 0.0
