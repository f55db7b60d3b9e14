"""What the work horse has told of its run, for the process that forked it to see.

One byte of memory that a fork shares: no descriptor that a grandchild could hold open, no lock that
could be inherited locked, and it is still there when the horse was killed.
"""

from __future__ import annotations

import mmap

RECEIVED, STARTED, ENDED = 1, 2, 4


class Slate:
    """Belongs to one worker, which has one horse at a time."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def clear(self) -> None:
        """Begin a new run."""
        self._memory[0] = 0

    def mark(self, what: int) -> None:
        """Note that this was told."""
        self._memory[0] |= what

    def has(self, what: int) -> bool:
        """Tell whether it was told."""
        return bool(self._memory[0] & what)
