"""What this process is to Dramatiq: a worker, or a mere publisher."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

from z4j_core.plugins import Host


class Process:
    """The part that this process plays. Thread-safe for readers."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.brokers: list[Any] = []
        self.workers: list[Any] = []
        self.group: ContextVar[str | None] = ContextVar("z4j_dramatiq_group", default=None)
        """The id of the group that is being run in this context."""
        self._publisher_pid = 0

    @property
    def is_worker(self) -> bool:
        """Whether messages are run in this process."""
        return bool(self.workers)

    def on_worker_boot(self, worker: Any) -> None:
        """The threads of a worker run."""
        self.workers.append(worker)
        self.host.ensure_started("worker")

    def on_worker_shutdown(self, worker: Any) -> None:
        """A worker has ended, with all of its threads."""
        if worker in self.workers:
            self.workers.remove(worker)
        if not self.workers:
            self._publisher_pid = 0
            self.host.stop()

    def on_publish(self) -> None:
        """A message was published; a process that does nothing else connects now."""
        if not self.workers and self._publisher_pid != (pid := os.getpid()):
            self._publisher_pid = pid
            self.host.ensure_started("publisher")
