"""Who has to wait, as far as this process knows: a flood of refused requests costs no database."""

from __future__ import annotations

from itertools import islice

SECOND_US = 1_000_000
MOST_KEPT = 10_000


class WaitError(Exception):
    """Too many attempts or requests: `seconds` to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


class Waits:
    """Ends of waits by subject, at most `MOST_KEPT`; times are microseconds.

    One that was dropped for want of room is found in the database again. Not thread-safe.
    """

    def __init__(self) -> None:
        self._ends: dict[bytes, int] = {}

    def left_s(self, subject: bytes, now: int) -> int:
        """Return the whole seconds that a subject has to wait; 0 when nothing is known of it."""
        end = self._ends.get(subject)
        if end is None:
            return 0
        if end <= now:
            del self._ends[subject]
            return 0
        return whole_seconds(end - now)

    def note(self, subject: bytes, seconds: int, now: int) -> None:
        """Let a subject wait from now on."""
        self._ends.pop(subject, None)
        self._ends[subject] = now + seconds * SECOND_US
        if len(self._ends) > MOST_KEPT:
            self._make_room(now)

    def forget(self) -> None:
        """Forget all of them; the database knows."""
        self._ends.clear()

    def _make_room(self, now: int) -> None:
        self._ends = {subject: end for subject, end in self._ends.items() if end > now}
        # By a tenth, so that the next note does not look through all of them again.
        for subject in list(islice(self._ends, max(0, len(self._ends) - MOST_KEPT * 9 // 10))):
            del self._ends[subject]


def whole_seconds(microseconds: int) -> int:
    """Round up, as `Retry-After` wants it."""
    return max(0, -(-microseconds // SECOND_US))
