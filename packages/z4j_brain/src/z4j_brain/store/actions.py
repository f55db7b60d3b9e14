"""What the workers that are online offer."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, select

from z4j_brain.store.schema import workers
from z4j_core.frames import EngineInfo, SchedulerInfo


class OnlineWorker(msgspec.Struct, frozen=True):
    """A worker that is connected, with the engines and schedulers that it announced."""

    id: uuid.UUID
    worker_id: str
    role: str
    last_seen: int
    engines: list[EngineInfo]
    schedulers: list[SchedulerInfo] = []

    def has_key(self, engine: str, key_id: str) -> bool:
        """Whether the worker's engine can open what was sealed with this key."""
        return any(info.name == engine and key_id in info.seal_keys for info in self.engines)

    def seals(self, engine: str) -> bool:
        """Whether the worker's engine has any key to seal with."""
        return any(info.name == engine and info.seal_keys for info in self.engines)


def online_workers(connection: Connection, project_id: uuid.UUID) -> list[OnlineWorker]:
    """Return the connected workers of a project, the last heard first."""
    rows = connection.execute(
        select(
            workers.c.id,
            workers.c.worker_id,
            workers.c.role,
            workers.c.last_seen,
            workers.c.engines,
            workers.c.schedulers,
        )
        .where(workers.c.project_id == project_id, workers.c.online)
        .order_by(workers.c.last_seen.desc(), workers.c.id)
    )
    return [
        OnlineWorker(
            row.id,
            row.worker_id,
            row.role,
            row.last_seen,
            msgspec.convert(row.engines, list[EngineInfo]),
            msgspec.convert(row.schedulers, list[SchedulerInfo]),
        )
        for row in rows
    ]
