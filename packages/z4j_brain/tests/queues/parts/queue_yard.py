"""A record on each database, a sampling service on it, and workers that are told to watch."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import insert, select, update

from z4j_brain.queues.sampling import Sampling
from z4j_brain.store import agents, projects
from z4j_brain.store.database import Database
from z4j_brain.store.schema import queues, workers
from z4j_brain.store.types import new_id
from z4j_core import frames
from z4j_core.waiting import Broker

NOON = 1_700_000_000_000_000
MINUTE = 60_000_000
BROKER = "00000000000000aa"


class Links:
    """The registry of one replica: which workers are linked to it, and what each was told."""

    def __init__(self, *linked: uuid.UUID) -> None:
        self.linked = set(linked)
        self.told: list[tuple[uuid.UUID, frames.Watch]] = []

    def watch(self, worker_row: uuid.UUID, watch: frames.Watch) -> bool:
        if worker_row in self.linked:
            self.told.append((worker_row, watch))
        return worker_row in self.linked

    def names(self, worker_row: uuid.UUID) -> list[str]:
        """Return the queues that a worker watches, by the last word that it heard."""
        heard = [watch for row, watch in self.told if row == worker_row]
        return [name for one in heard[-1].watched for name in one.queues] if heard else []


class Yard:
    """A database with one project, and workers in it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.project_id = self.add_project("shop")

    def add_project(self, name: str) -> uuid.UUID:
        with self.database.write() as connection:
            project_id = projects.create(connection, name=name, now=NOON).id
            self.agent_id = agents.create(connection, project_id, "web", NOON)
        return project_id

    def add_worker(self, name: str, **fields: Any) -> uuid.UUID:
        values: dict[str, Any] = {
            "id": new_id(),
            "project_id": self.project_id,
            "agent_id": self.agent_id,
            "worker_id": name,
            "epoch": uuid.uuid4().hex,
            "engines": [],
            "plugin_errors": [],
            "first_seen": NOON,
            "last_seen": NOON,
        } | fields
        with self.database.write() as connection:
            connection.execute(insert(workers).values(values))
        return values["id"]  # type: ignore[no-any-return]

    def end(self, row: uuid.UUID) -> None:
        with self.database.write() as connection:
            connection.execute(update(workers).where(workers.c.id == row).values(online=False))

    def change(self, **fields: Any) -> None:
        """Change every queue's row."""
        with self.database.write() as connection:
            connection.execute(update(queues).values(fields))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def samplers(self) -> dict[str, uuid.UUID | None]:
        return {row["queue"]: row["sampler"] for row in self.rows(queues)}

    def sampling(self, links: Links, every_s: float = 10) -> Sampling:
        return Sampling(self.database, links, every_s=every_s)


def knows(*names: str, consumed: tuple[str, ...] = (), broker: str = BROKER) -> frames.Queues:
    """Return what a process says that knows these queues of one broker."""
    told = Broker(id=broker, transport="redis", queues=list(names), consumed=list(consumed))
    return frames.Queues([frames.KnownBroker("celery", told)])


def sample(queue: str, waiting: int | None = 3, **more: Any) -> frames.DepthSample:
    return frames.DepthSample("celery", more.pop("broker", BROKER), queue, waiting, **more)
