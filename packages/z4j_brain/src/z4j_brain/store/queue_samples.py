"""Samples of queues: the last one of each, and one row a minute."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.queue_election import QueueKey
from z4j_brain.store.schema import queue_samples, queues, workers

MINUTE_US = 60_000_000
_KEY = ("project_id", "engine", "broker", "queue")
_TOLD = ("waiting", "unacked", "consumers", "oldest_us")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample; None is "cannot be told". `at` by the server's clock, `oldest_us` an age."""

    key: QueueKey
    sampler: uuid.UUID
    at: int
    waiting: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    oldest_us: int | None = None


class QueueRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and its last sample. `sampler` is the name of the worker elected now, if online."""

    engine: str
    broker: str
    queue: str
    transport: str
    sampler: str | None
    sampled_at: int | None
    waiting: int | None
    unacked: int | None
    consumers: int | None
    oldest_us: int | None


class MinuteSample(msgspec.Struct, frozen=True, gc=False):
    """The samples of one minute."""

    engine: str
    broker: str
    queue: str
    bucket: int
    waiting: int | None
    waiting_max: int | None
    unacked: int | None
    oldest_us: int | None


def store(connection: Connection, samples: Sequence[Sample]) -> int:
    """Store samples; one of a worker that is no longer elected is not. Return how many were."""
    stored = 0
    for sample in sorted(samples, key=lambda one: msgspec.structs.astuple(one.key)):
        told = {name: getattr(sample, name) for name in _TOLD}
        done = connection.execute(
            update(queues)
            .where(
                *(queues.c[name] == getattr(sample.key, name) for name in _KEY),
                queues.c.sampler == sample.sampler,
            )
            .values(sampled_at=sample.at, **told)
        )
        if done.rowcount:
            _add_to_minute(connection, sample)
            stored += 1
    return stored


def records(connection: Connection, project_id: uuid.UUID) -> list[QueueRecord]:
    """Return every queue that a worker told of, by name."""
    names = ("engine", "broker", "queue", "transport", "sampled_at", *_TOLD)
    rows = connection.execute(
        select(*(queues.c[name] for name in names), workers.c.worker_id.label("sampler"))
        .outerjoin(workers, (workers.c.id == queues.c.sampler) & workers.c.online)
        .where(queues.c.project_id == project_id)
        .order_by(queues.c.queue, queues.c.engine, queues.c.broker)
    )
    return [QueueRecord(**row._mapping) for row in rows]


def minutes(
    connection: Connection,
    project_id: uuid.UUID,
    since: int,
    key: tuple[str, str, str] | None = None,
) -> list[MinuteSample]:
    """Return the minutes from `since` on, of all queues or of one (engine, broker, queue)."""
    names = MinuteSample.__struct_fields__
    query = select(*(queue_samples.c[name] for name in names)).where(
        queue_samples.c.project_id == project_id, queue_samples.c.bucket >= since
    )
    if key is not None:
        pairs = zip(_KEY[1:], key, strict=True)
        query = query.where(*(queue_samples.c[name] == value for name, value in pairs))
    return [MinuteSample(*row) for row in connection.execute(query.order_by("bucket"))]


def _add_to_minute(connection: Connection, sample: Sample) -> None:
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = kind.insert(queue_samples).values(
        **msgspec.structs.asdict(sample.key),
        bucket=sample.at // MINUTE_US * MINUTE_US,
        samples=1,
        waiting=sample.waiting,
        waiting_max=sample.waiting,
        unacked=sample.unacked,
        oldest_us=sample.oldest_us,
    )
    new: Any = statement.excluded
    changed = {
        "samples": queue_samples.c.samples + 1,
        "waiting": new.waiting,
        "unacked": new.unacked,
        "waiting_max": _greatest("waiting_max", new),
        "oldest_us": _greatest("oldest_us", new),
    }
    key = (*_KEY, "bucket")
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _greatest(name: str, new: Any) -> Any:
    """The greater of two values, either of which may be null (the databases differ in that)."""
    old = queue_samples.c[name]
    return case((or_(old.is_(None), new[name] > old), new[name]), else_=old)
