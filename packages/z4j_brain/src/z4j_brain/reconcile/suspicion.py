"""Which open tasks seem stuck, of which it may be said that nobody knows, and in what words.

Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from z4j_brain.settings import Settings
from z4j_brain.store.open_tasks import OpenTask, Presence
from z4j_brain.store.types import to_datetime

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
BACK_OFF_US = tuple(minutes * MINUTE_US for minutes in (1, 5, 30, 120, 480, 1_440))
"""After the first question about a task, the second …; the last one for all further ones."""
MAX_TRIES = {"unknown": 10, "queued": 2}
"""By state: after so many questions, about five days, nobody is asked. A later fact still tells."""
ALIVE_US = (30 * MINUTE_US, 120 * MINUTE_US)
"""A task that a worker holds is not asked about again before the first time, later the second."""
_OFTEN = 4
TRIES_WITHOUT_ANSWER = 3
"""After so many questions without an answer a task counts as unknown."""


class Patience(msgspec.Struct, frozen=True):
    """How long a worker may be missed, and a task be silent (microseconds)."""

    grace_us: int
    silence_us: int

    @classmethod
    def of(cls, settings: Settings) -> Patience:
        """Return what the operator chose."""
        return cls(settings.probe_grace_s * SECOND_US, settings.probe_after_minutes * MINUTE_US)


class Situation(msgspec.Struct, frozen=True):
    """One moment, and the workers of a project at that moment."""

    now: int
    workers: Mapping[str, Presence]
    patience: Patience

    def has_lost_worker(self, task: OpenTask) -> bool:
        """Whether the worker that had the task is gone for longer than the grace."""
        found = self.workers.get(task.worker or "")
        if found is None:
            # A worker of which there is no row any more; the task's last fact is as old as that.
            return task.last_at < self.now - self.patience.grace_us
        return not found.online and found.last_seen < self.now - self.patience.grace_us

    def is_silent(self, task: OpenTask) -> bool:
        """Whether nothing was heard of the task for so long that this is strange."""
        return max(task.last_at, task.eta or 0) < self.now - self.patience.silence_us

    def is_suspect(self, task: OpenTask) -> bool:
        """Whether somebody should be asked about the task."""
        if task.asked >= MAX_TRIES.get(task.state, task.asked + 1):
            return False
        return task.state == "unknown" or self.is_silent(task) or self._is_orphan(task)

    def may_be_unknown(self, task: OpenTask) -> bool:
        """Whether the task's state may become unknown when nobody knows of it.

        Never that of a queued task: it may simply wait, and nobody holds it while it does. One that
        was given back or is to be retried may wait as well, so it must have been silent, too.
        """
        if task.state == "retrying":
            return self.is_silent(task) and self.has_lost_worker(task)
        return self._is_orphan(task) or (
            task.state in ("received", "running") and self.is_silent(task)
        )

    def reason(self, task: OpenTask, because: str) -> str:
        """Return why nobody knows, in sentences."""
        found = self.workers.get(task.worker or "")
        if found is None:
            worker = f"Its worker {task.worker} is not known here any more."
        elif found.online:
            worker = f"Its worker {task.worker} is online, but does not hold it."
        else:
            worker = f"Its worker {task.worker} was last seen {moment(found.last_seen)}."
        return f"{worker} {because}"

    def _is_orphan(self, task: OpenTask) -> bool:
        return task.state in ("received", "running") and self.has_lost_worker(task)


def next_at(now: int, tries: int, *, is_alive: bool) -> int:
    """Return when a task may be asked about again, after `tries` questions."""
    if is_alive:
        return now + ALIVE_US[tries >= _OFTEN]
    return now + BACK_OFF_US[min(max(tries, 1), len(BACK_OFF_US)) - 1]


def moment(at: int) -> str:
    """Return a moment in words, to the second."""
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S} UTC"
