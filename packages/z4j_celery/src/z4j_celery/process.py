"""What this process is to Celery: a worker of some pool, the scheduler, or a mere publisher."""

from __future__ import annotations

import os
from typing import Any

from z4j_celery.apps import live_apps
from z4j_core.plugins import Host


class Process:
    """The part that this process plays, learnt from Celery's signals. Thread-safe for readers."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.role: str | None = None
        self.pool = ""
        self.is_prefork = False
        """Whether tasks run in child processes of this worker."""
        self.app: Any = None
        self.consumer: Any = None
        self._publisher_pid = 0
        self._worker_pid = 0

    def apps(self) -> list[Any]:
        """Return the apps that actions of this process can use: a worker's own, or all."""
        return [self.app] if self.app is not None else live_apps()

    def on_worker_init(self, worker: Any) -> None:
        """A worker is being set up in this process; its pool has not been forked yet."""
        self.role, self.app = "worker", worker.app
        self._worker_pid = os.getpid()
        self.pool = pool_name(worker.pool_cls)
        self.is_prefork = self.pool == "prefork"
        if self.is_prefork or getattr(worker, "beat", False):
            self.host.open_relay()

    def on_consumer_start(self, consumer: Any) -> None:
        """The worker has its broker connection, once more perhaps; its pool is there.

        Celery's signal `worker_ready` would tell the same, but not in embedded workers.
        """
        self.consumer = consumer
        self.host.ensure_started("worker", worker_name=consumer.hostname)

    def on_worker_shutdown(self) -> None:
        """The worker has ended; Celery may say so more than once."""
        self.role = self.consumer = None
        self._publisher_pid = 0
        self.host.stop()

    def on_beat_init(self) -> None:
        """This process is the scheduler, if need be one that a worker forked (``worker -B``)."""
        if self.role is None or self._worker_pid != os.getpid():
            self.role, self.consumer = "scheduler", None
            self.host.ensure_started("scheduler")

    def on_publish(self) -> None:
        """A task was published; a process that does nothing else connects now."""
        if self.role is None and self._publisher_pid != (pid := os.getpid()):
            self._publisher_pid = pid
            self.host.ensure_started("publisher")


def pool_name(pool: Any) -> str:
    """Return ``prefork``, ``threads``, ``solo``, ``gevent``, ``eventlet`` or another's name.

    Celery holds the pool as an alias, as the path of a class or as the class.
    """
    path = pool if isinstance(pool, str) else str(getattr(pool, "__module__", ""))
    name = path.partition(":")[0].rpartition(".")[2]
    return {"processes": "prefork", "thread": "threads"}.get(name, name)
