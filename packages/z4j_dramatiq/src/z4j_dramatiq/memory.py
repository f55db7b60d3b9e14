"""What a process remembers about messages: bounded by number and by bytes, oldest forgotten."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

MAX_KEPT = 1_000
MAX_KEPT_BYTES = 8 * 1024 * 1024
MAX_BYTES = 256 * 1024


class Kept:
    """The messages of tasks that ended without success, so that they can be run again exactly.

    Thread-safe. Messages over `MAX_BYTES` are not kept.
    """

    def __init__(self, limit: int = MAX_KEPT, limit_bytes: int = MAX_KEPT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._lock = Lock()
        self._messages: OrderedDict[str, bytes] = OrderedDict()
        self.bytes = 0

    def put(self, task_id: str, message: bytes) -> None:
        """Remember the message of a task."""
        if len(message) > MAX_BYTES:
            return
        with self._lock:
            self._forget(task_id)
            self._messages[task_id] = message
            self.bytes += len(message)
            while len(self._messages) > self._limit or self.bytes > self._limit_bytes:
                self._forget(next(iter(self._messages)))

    def get(self, task_id: str) -> bytes | None:
        """Return the message of a task, if it is still remembered."""
        return self._messages.get(task_id)

    def _forget(self, task_id: str) -> None:
        message = self._messages.pop(task_id, None)
        if message is not None:
            self.bytes -= len(message)
