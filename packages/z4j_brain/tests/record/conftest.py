"""A fresh record on each database, filled through the real ingest transaction."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, update

from z4j_brain.ingest.arrival import Arrival
from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.transaction import Transactions
from z4j_brain.store import agents, projects
from z4j_brain.store.commands import finish
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import Origin
from z4j_brain.store.partitions import ensure_partitions
from z4j_brain.store.schema import workers
from z4j_brain.store.types import new_id
from z4j_core.events import Kind, WireEvent

NOON = 1_700_000_000_000_000
SECOND = 1_000_000


class NobodyAcknowledges:
    """Stands for a link."""

    def acknowledge(self, position: int) -> None:
        """Do nothing."""

    def refuse(self, code: str, detail: str) -> None:
        """Fail the test: what it sends is in order."""
        raise AssertionError((code, detail))


class Record:
    """A database with one project; events come in as an agent's would."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as connection:
            ensure_partitions(connection, NOON)
        self._writer = Transactions(database, "test", finish)
        self._seqs: dict[uuid.UUID, itertools.count[int]] = {}
        self._names: dict[uuid.UUID, str] = {}
        self.project_id = self.add_project("shop")
        self.agent_id = self.add_agent(self.project_id, "web")
        self.w1 = self.add_worker("w1")

    def close(self) -> None:
        self._writer.close()

    def add_project(self, name: str) -> uuid.UUID:
        with self.database.write() as connection:
            return projects.create(connection, name=name, now=NOON).id

    def add_agent(self, project_id: uuid.UUID, name: str) -> uuid.UUID:
        with self.database.write() as connection:
            return agents.create(connection, project_id, name, NOON)

    def add_worker(self, worker_id: str, **fields: Any) -> uuid.UUID:
        values: dict[str, Any] = {
            "id": new_id(),
            "project_id": self.project_id,
            "agent_id": self.agent_id,
            "worker_id": worker_id,
            "epoch": uuid.uuid4().hex,
            "engines": [],
            "plugin_errors": [],
            "first_seen": NOON,
            "last_seen": NOON,
        } | fields
        with self.database.write() as connection:
            connection.execute(insert(workers).values(values))
        self._seqs[values["id"]] = itertools.count(1)
        self._names[values["id"]] = worker_id
        return values["id"]  # type: ignore[no-any-return]

    def change_worker(self, row: uuid.UUID, **fields: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(workers).where(workers.c.id == row).values(fields))

    def tell(
        self,
        *events: WireEvent,
        worker: uuid.UUID | None = None,
        project_id: uuid.UUID | None = None,
    ) -> None:
        self._writer.commit(prepare([self.arrival(worker or self.w1, events, project_id)]))

    def arrival(
        self, row: uuid.UUID, events: Iterable[WireEvent], project_id: uuid.UUID | None = None
    ) -> Arrival:
        """Return the next frame of a worker."""
        told = list(events)
        return Arrival(
            source=NobodyAcknowledges(),
            origin=Origin(project_id or self.project_id, row, NOON),
            worker_id=self._names[row],
            seq=next(self._seqs[row]),
            size=100 * len(told),
            events=told,
        )

    def read(self, work: Any, *arguments: Any, **named: Any) -> Any:
        with self.database.read() as connection:
            return work(connection, self.project_id, *arguments, **named)


def make_event(
    task_id: str, kind: Kind | str, at: int = 0, *, data: object = None, **fields: object
) -> WireEvent:
    """Return an event of `task_id`, `at` microseconds after noon."""
    values: dict[str, Any] = {
        "kind": Kind(kind),
        "engine": "celery",
        "task_id": task_id,
        "attempt": 0,
        "occurred_at": NOON + at,
        "name": "app.send",
        "queue": "email",
        "payload": msgspec.json.encode(data or {}),
    }
    return WireEvent(**(values | fields))


@pytest.fixture
def database(record_url: str) -> Iterator[Database]:
    database = Database(record_url, pool_size=2)
    yield database
    database.close()


@pytest.fixture
def record(database: Database) -> Iterator[Record]:
    record = Record(database)
    yield record
    record.close()


@pytest.fixture
def event() -> Any:
    return make_event


@pytest.fixture
def noon() -> int:
    return NOON
