"""Which queues each worker linked here was told to watch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from uuid import UUID

from z4j_brain.store.queue_election import QueueAssignment, QueueKey
from z4j_core import frames
from z4j_core.waiting import MAX_BROKERS, MAX_WATCHED


class Watches:
    """What was sent on the present links. For one event loop."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._sent: dict[UUID, frames.Watch] = {}
        self._keys: dict[UUID, frozenset[QueueKey]] = {}
        self._wanted: dict[UUID, list[QueueKey]] = {}

    def is_watched(self, worker_row: UUID, key: QueueKey) -> bool:
        """Tell whether the worker was told to sample this queue."""
        return key in self._keys.get(worker_row, ())

    def forget(self, worker_row: UUID) -> None:
        """The worker has a new link, or none: it watches nothing."""
        self._sent.pop(worker_row, None)
        self._keys.pop(worker_row, None)

    def changed(
        self, assignments: Iterable[QueueAssignment]
    ) -> Iterator[tuple[UUID, frames.Watch]]:
        """Return what to tell which worker, of all replicas, as far as it was not told yet."""
        self._wanted = {}
        for one in assignments:
            self._wanted.setdefault(one.sampler, []).append(one.key)
        for worker_row in [*self._wanted, *(self._sent.keys() - self._wanted.keys())]:
            watch = frames.Watch(self._every_s, _watched(self._wanted.get(worker_row, [])))
            if self._sent.get(worker_row) != watch:
                yield worker_row, watch

    def sent(self, worker_row: UUID, watch: frames.Watch) -> None:
        """Note that a worker was told."""
        if not watch.watched:
            self.forget(worker_row)
            return
        self._sent[worker_row] = watch
        told = {(one.engine, one.broker, name) for one in watch.watched for name in one.queues}
        self._keys[worker_row] = frozenset(
            key
            for key in self._wanted.get(worker_row, ())
            if (key.engine, key.broker, key.queue) in told
        )


def _watched(keys: list[QueueKey]) -> list[frames.Watched]:
    """What does not fit into a frame stays unsampled; a project cannot have that many queues."""
    grouped = groupby(keys, key=lambda key: (key.engine, key.broker))
    return [
        frames.Watched(engine, broker, [key.queue for key in group][:MAX_WATCHED])
        for (engine, broker), group in grouped
    ][:MAX_BROKERS]
