"""What agents told of queues and is not written yet: of everything only the newest."""

from __future__ import annotations

from uuid import UUID

from z4j_brain.store.queue_election import QueueKey
from z4j_brain.store.queue_samples import Sample
from z4j_core import frames

Told = dict[UUID, tuple[UUID, frames.Queues]]
"""By the worker's row: its project, and what it told."""


class Inbox:
    """Bounded by the number of links and of watched queues. For one event loop."""

    def __init__(self) -> None:
        self._told: Told = {}
        self._samples: dict[QueueKey, Sample] = {}

    def tell(self, worker_row: UUID, project_id: UUID, queues: frames.Queues) -> None:
        """Take what a worker knows."""
        self._told[worker_row] = (project_id, queues)

    def sample(self, key: QueueKey, sampler: UUID, sample: frames.DepthSample, at: int) -> None:
        """Take a sample."""
        self._samples[key] = Sample(
            key=key,
            sampler=sampler,
            at=at,
            waiting=sample.waiting,
            unacked=sample.unacked,
            consumers=sample.consumers,
            oldest_us=sample.oldest_us,
        )

    def take_told(self) -> Told:
        """Return and forget what workers told; the caller may take entries out."""
        told, self._told = self._told, {}
        return told

    def put_back(self, told: Told) -> None:
        """Keep what could not be written, unless something newer came."""
        self._told = told | self._told

    def take_samples(self) -> list[Sample]:
        """Return and forget the samples."""
        samples, self._samples = self._samples, {}
        return list(samples.values())
