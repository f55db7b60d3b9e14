"""What plugins tell a moment later, many facts in a row.

Between two tasks a busy worker runs so much other code that nothing of ours is left in the
processor's caches: to tell sixty facts in a row costs half of telling each alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import RLock
from typing import Any

from z4j_agent.guard import Guard

IN_A_ROW = 64
"""So many are told at once by the thread that adds the last of them."""

PAUSE_S = 0.05
"""Seconds that the others wait at most; what waits is lost when the process is killed."""


class Deferred:
    """Thread-safe. Facts are told in the order in which they came, by one thread at a time.

    `limit` is how many may wait: 1, as long as nobody comes to tell them.
    """

    def __init__(self) -> None:
        self.limit = 1
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._telling = RLock()  # a fact that is being told may make somebody catch up
        self._wake: Callable[[], None] | None = None
        self._guard = Guard("agent", "the engine")

    def add(self, tell: Callable[..., object], facts: tuple[Any, ...]) -> None:
        """Call `tell(*facts)` later."""
        self._waiting.append((tell, facts))
        if len(self._waiting) >= self.limit:
            self.catch_up(is_patient=False)
        elif self._wake is not None:
            wake, self._wake = self._wake, None
            if wake is not None:  # nobody else was faster
                wake()

    def catch_up(self, is_patient: bool = True) -> None:
        """Tell everything. When another thread is at it, wait for that one or leave it to it."""
        while self._telling.acquire(blocking=is_patient):
            try:
                self._tell()
            finally:
                self._telling.release()
            # Who added something meanwhile and found this thread at it has left it to it.
            if not self._waiting:
                return

    def wait(self, wake: Callable[[], None]) -> bool:
        """Ask to be woken once, by `wake`, from any thread; False if something waits already."""
        self._wake = wake
        if self._waiting:
            self._wake = None
            return False
        return True

    def _tell(self) -> None:
        while self._waiting:
            tell, facts = self._waiting.popleft()
            try:
                tell(*facts)
            except Exception:  # one fact is lost, and the next must be told
                self._guard.complain(getattr(tell, "__qualname__", repr(tell)))
