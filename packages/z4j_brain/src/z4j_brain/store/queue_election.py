"""Which worker samples which queue."""

from __future__ import annotations

import uuid

import msgspec

from z4j_brain.store.election import Assignment, Election
from z4j_brain.store.schema import queues, worker_queues


class QueueKey(msgspec.Struct, frozen=True, gc=False):
    """One queue of one broker, in a project."""

    project_id: uuid.UUID
    engine: str
    broker: str
    queue: str


QueueAssignment = Assignment[QueueKey]
ELECTION = Election(queues, worker_queues, QueueKey, ("project_id", "engine", "broker"))
