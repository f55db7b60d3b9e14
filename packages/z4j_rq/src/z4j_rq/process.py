"""What this process is to RQ, and which Redis servers and queues it knows."""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakKeyDictionary

from z4j_core.plugins import Host
from z4j_rq.clients import identity_of

MAX_KNOWN_QUEUES = 1_000


class Known:
    """A Redis that RQ uses here; `queues` are those seen there, with the serializer of each."""

    def __init__(self, identity: str, connection: Any) -> None:
        self.identity = identity
        self.connection = connection
        self.queues: dict[str, Any] = {}
        self.consumed: list[str] = []

    def serializer_of(self, queue: str | None) -> Any:
        """Return the serializer of a queue, RQ's own choice (None) if it was never seen."""
        return self.queues.get(queue or "")


class Process:
    """The part that this process plays, learnt from RQ's calls. Thread-safe for readers."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.role: str | None = None
        self.worker: Any = None
        self.known: dict[str, Known] = {}
        self._identities: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._publisher_pid = 0

    @property
    def is_simple(self) -> bool:
        """Whether the worker runs jobs in its own process."""
        from rq import SimpleWorker

        return isinstance(self.worker, SimpleWorker)

    def on_worker_begins(self, worker: Any) -> None:
        """A worker is about to register itself; it has forked nothing yet."""
        self.role, self.worker = "worker", worker
        for queue in worker.queues:
            self.know(queue.connection, queue.name, queue.serializer)
        home = self.know(worker.connection)
        home.consumed = [str(queue.name) for queue in worker.queues]
        self.host.open_relay()

    def on_worker_ready(self, worker: Any) -> None:
        """The worker is registered."""
        self.host.ensure_started("worker", worker_name=worker.name)

    def on_worker_ended(self) -> None:
        """The worker has said goodbye to Redis."""
        self.role = self.worker = None
        self._publisher_pid = 0
        self.host.stop()

    def on_publish(self, queue: Any) -> None:
        """A job was enqueued; a process that does nothing else connects now."""
        self.know(queue.connection, queue.name, queue.serializer)
        if self.role is None and self._publisher_pid != (pid := os.getpid()):
            self._publisher_pid = pid
            self.host.ensure_started("publisher")

    def know(self, connection: Any, queue: str | None = None, serializer: Any = None) -> Known:
        """Remember a connection, and a queue on it."""
        pool = connection.connection_pool
        identity = self._identities.get(pool)
        if identity is None:
            identity = self._identities[pool] = identity_of(connection)
        known = self.known.get(identity)
        if known is None:
            known = self.known[identity] = Known(identity, connection)
        if queue is not None and (queue in known.queues or len(known.queues) < MAX_KNOWN_QUEUES):
            known.queues[queue] = serializer
        return known
