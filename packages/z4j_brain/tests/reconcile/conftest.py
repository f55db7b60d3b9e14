"""A migrated record on each database, filled through the real ingest transaction."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from z4j_brain import clock
from z4j_brain.ingest.arrival import Arrival
from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.transaction import Transactions
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.steps import Steps
from z4j_brain.settings import load
from z4j_brain.store import agents, projects
from z4j_brain.store.commands import finish
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import Origin
from z4j_brain.store.partitions import create_missing
from z4j_brain.store.schema import workers
from z4j_brain.store.types import new_id
from z4j_core.events import Kind, WireEvent

DAY = 86_400_000_000


class NobodyAcknowledges:
    """Stands for a link."""

    def acknowledge(self, position: int) -> None:
        """Do nothing."""

    def refuse(self, code: str, detail: str) -> None:
        """Fail the test: what it sends is in order."""
        raise AssertionError((code, detail))


class Record:
    """A project whose events came in at chosen times."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = clock.now()
        self.counters = Counters()
        with database.write() as connection:
            self.project_id = projects.create(connection, name="Shop", now=self.now).id
            self.agent_id = agents.create(connection, self.project_id, "web", self.now)
        self.w1 = self.add_worker("w1")
        self._seqs = itertools.count(1)
        self._writer = Transactions(database, "test", finish)

    def close(self) -> None:
        self._writer.close()

    def steps(self, **variables: str) -> Steps:
        settings = load({f"Z4J_{name.upper()}": value for name, value in variables.items()})
        return Steps(self.database, settings.settings, self.counters)

    async def everything(self, **variables: str) -> bool:
        """Take every step once."""
        return all([await step() for step in self.steps(**variables).all().values()])

    def at(self, days_ago: float) -> int:
        return self.now - int(days_ago * DAY)

    def add(self, table: Any, *rows: dict[str, Any]) -> None:
        with self.database.write() as connection:
            connection.execute(insert(table), list(rows))

    def add_worker(self, worker_id: str, days_ago: float = 0, **fields: Any) -> uuid.UUID:
        seen = self.at(days_ago)
        values: dict[str, Any] = {
            "id": new_id(),
            "project_id": self.project_id,
            "agent_id": self.agent_id,
            "worker_id": worker_id,
            "epoch": uuid.uuid4().hex,
            "engines": [],
            "plugin_errors": [],
            "first_seen": seen,
            "last_seen": seen,
        } | fields
        self.add(workers, values)
        return values["id"]  # type: ignore[no-any-return]

    def make_day(self, days_ago: float) -> None:
        """Create the partition of a day that is past."""
        at = self.at(days_ago)
        with self.database.write() as connection:
            create_missing(connection, [at - at % DAY])

    def tell(self, days_ago: float, *events: WireEvent) -> None:
        """Store events as if they had been received then."""
        at = self.at(days_ago)
        self.make_day(days_ago)
        arrival = Arrival(
            source=NobodyAcknowledges(),
            origin=Origin(self.project_id, self.w1, at),
            worker_id="w1",
            seq=next(self._seqs),
            size=100 * len(events),
            events=list(events),
        )
        self._writer.commit(prepare([arrival]))

    def event(self, task_id: str, kind: str, days_ago: float, **fields: Any) -> WireEvent:
        values: dict[str, Any] = {
            "kind": Kind(kind),
            "engine": "celery",
            "task_id": task_id,
            "attempt": 0,
            "occurred_at": self.at(days_ago),
            "name": "app.send",
            "queue": "email",
            "payload": b"{}",
        }
        return WireEvent(**(values | fields))

    def live(self, task_id: str, days_ago: float, *kinds: str) -> None:
        """Store the events of a task, of one moment, received then."""
        self.tell(days_ago, *(self.event(task_id, kind, days_ago) for kind in kinds))

    def count(self, table: Any) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def column(self, column: Any) -> list[Any]:
        with self.database.read() as connection:
            return sorted(connection.execute(select(column)).scalars())

    def partitions(self) -> set[str]:
        with self.database.read() as connection:
            found = connection.execute(
                text("SELECT relname FROM pg_class WHERE relname ~ '^events_p' AND relkind = 'r'")
            )
            return set(found.scalars())


@pytest.fixture
def database(record_url: str) -> Iterator[Database]:
    database = Database(record_url, pool_size=4)
    yield database
    database.close()


@pytest.fixture
def record(database: Database) -> Iterator[Record]:
    record = Record(database)
    yield record
    record.close()


@pytest.fixture
def postgres_record(postgres: Any, postgres_template: str) -> Iterator[Record]:
    """The same on PostgreSQL alone."""
    url = postgres.create_database(postgres_template)
    database = Database(url, pool_size=4)
    record = Record(database)
    yield record
    record.close()
    database.close()
    postgres.drop_database(url)
