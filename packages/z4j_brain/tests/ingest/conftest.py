"""A fresh record on each database, with a project and a worker, and frames to store in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import func, insert, select

from z4j_brain.ingest.arrival import Arrival
from z4j_brain.live.changes import Changes
from z4j_brain.store import agents, projects
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import Origin
from z4j_brain.store.partitions import ensure_partitions
from z4j_brain.store.schema import workers
from z4j_brain.store.types import new_id
from z4j_core.events import Kind, WireEvent

NOON = 1_700_000_000_000_000


class RecordingSource:
    """Stands for a link: remembers what the writer tells it."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []
        self.refused: list[str] = []

    def acknowledge(self, position: int) -> None:
        self.acknowledged.append(position)

    def refuse(self, code: str, detail: str) -> None:
        self.refused.append(code)


class RecordingFeed:
    """Stands for the hub."""

    def __init__(self) -> None:
        self.published: list[tuple[uuid.UUID, int, Changes]] = []

    def publish(self, project_id: uuid.UUID, offset: int, changes: Changes) -> None:
        self.published.append((project_id, offset, changes))


class Record:
    """A database with one project and as many workers as asked for."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.source = RecordingSource()
        with database.write() as connection:
            ensure_partitions(connection, NOON)
            self.project_id = projects.create(connection, name="shop", now=NOON).id
            self.agent_id = agents.create(connection, self.project_id, "web", NOON)
        self.worker_row = self.add_worker("w1")

    def add_worker(self, worker_id: str) -> uuid.UUID:
        row = new_id()
        with self.database.write() as connection:
            connection.execute(
                insert(workers).values(
                    id=row,
                    project_id=self.project_id,
                    agent_id=self.agent_id,
                    worker_id=worker_id,
                    epoch="e1",
                    engines=[],
                    plugin_errors=[],
                    first_seen=NOON,
                    last_seen=NOON,
                )
            )
        return row

    def origin(self, received_at: int = NOON) -> Origin:
        return Origin(self.project_id, self.worker_row, received_at)

    def frame(self, seq: int, *events: WireEvent, source: object | None = None) -> Arrival:
        return Arrival(
            source=source or self.source,  # type: ignore[arg-type]
            origin=self.origin(),
            worker_id="w1",
            seq=seq,
            size=100 * len(events),
            events=list(events),
        )

    def rows(self, table: object) -> list[dict[str, object]]:
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]  # type: ignore[call-overload]

    def count(self, table: object) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def make_event(
    task_id: str = "t1",
    kind: Kind = Kind.STARTED,
    *,
    at: int = NOON,
    payload: object = None,
    **fields: object,
) -> WireEvent:
    values = {
        "kind": kind,
        "engine": "celery",
        "task_id": task_id,
        "attempt": 0,
        "occurred_at": at,
        "name": "app.send",
        "queue": "email",
        "payload": payload if isinstance(payload, bytes) else msgspec.json.encode(payload or {}),
    }
    return WireEvent(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture
def database(record_url: str) -> Iterator[Database]:
    database = Database(record_url)
    yield database
    database.close()


@pytest.fixture
def record(database: Database) -> Record:
    return Record(database)


@pytest.fixture
def make_record() -> type[Record]:
    """For a test that brings a database of its own."""
    return Record


@pytest.fixture
def feed() -> RecordingFeed:
    return RecordingFeed()


@pytest.fixture
def event() -> object:
    """The function that makes an event."""
    return make_event
