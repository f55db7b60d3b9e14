"""The tasks that were cancelled through z4j, kept beside Celery's own list."""

from __future__ import annotations

from typing import Any

from z4j_celery.guard import guarded
from z4j_celery.memory import Recent

MAX_CANCELLED = 50_000


class Cancelled:
    """Makes a cancel stick for the life of the process. Thread-safe.

    Celery forgets the oldest revoked ids when its list is full, and all of them when the worker
    restarts without ``--statedb``; after a restart the brain sends the command again.
    """

    def __init__(self, revoked: Any) -> None:
        self._revoked = revoked
        self._ids: Recent[str, None] = Recent(MAX_CANCELLED)
        self.remind = guarded(self._remind)
        self.is_needed = False

    def add(self, task_id: str) -> None:
        """Remember a cancelled task."""
        self._ids.put(task_id, None)
        self.is_needed = True

    def _remind(self, task_id: str) -> None:
        """Put a task back on Celery's list if it was cancelled here."""
        if task_id in self._ids and task_id not in self._revoked:
            self._revoked.add(task_id)
