"""A record on each database, a leader that works when it is told to, and a plain computation."""

from __future__ import annotations

import asyncio
import itertools
import math
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from z4j_brain import clock
from z4j_brain.ingest.arrival import Arrival
from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.transaction import Transactions
from z4j_brain.reconcile import rollup_steps
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.rollup_steps import RollupSteps
from z4j_brain.series.reading import Request, Series, read_series
from z4j_brain.settings import load
from z4j_brain.store import agents, projects
from z4j_brain.store.commands import finish
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import Origin
from z4j_brain.store.partitions import ensure_partitions
from z4j_brain.store.schema import rollup_marks, tasks, workers
from z4j_brain.store.types import new_id
from z4j_core.events import Kind, WireEvent

DAY = 86_400_000_000
HOUR = 3_600_000_000
MINUTE = 60_000_000


class NobodyAcknowledges:
    """Stands for a link."""

    def acknowledge(self, position: int) -> None:
        """Do nothing."""

    def refuse(self, code: str, detail: str) -> None:
        """Fail the test: what it sends is in order."""
        raise AssertionError((code, detail))


class House:
    """A project, two servers that write into it, and a leader. `now` is what the leader believes.

    It begins on a Tuesday at noon, an hour of which nothing depends on the present.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = clock.now() // DAY * DAY + DAY // 2
        self.counters = Counters()
        self.project_id = self.add_project("Shop")
        with database.write() as connection:
            ensure_partitions(connection, self.now)
            self.agent_id = agents.create(connection, self.project_id, "web", self.now)
        self._writers = [Transactions(database, name, finish) for name in ("one", "two")]
        self._workers = [self._add_worker(name) for name in ("w1", "w2")]
        self._seqs = [itertools.count(1), itertools.count(1)]

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def add_project(self, name: str) -> uuid.UUID:
        with self.database.write() as connection:
            return projects.create(connection, name=name, now=self.now).id

    def tell(self, *events: WireEvent, by: int = 0) -> None:
        """Store events through one of the two servers."""
        arrival = Arrival(
            source=NobodyAcknowledges(),
            origin=Origin(self.project_id, self._workers[by], self.now),
            worker_id=f"w{by + 1}",
            seq=next(self._seqs[by]),
            size=100 * len(events),
            events=list(events),
        )
        self._writers[by].commit(prepare([arrival]))

    def event(self, task_id: str, kind: str, at: int, **fields: Any) -> WireEvent:
        data = fields.pop("data", {})
        values: dict[str, Any] = {
            "kind": Kind(kind),
            "engine": "celery",
            "task_id": task_id,
            "attempt": 0,
            "occurred_at": at,
            "name": "app.send",
            "queue": "email",
            "payload": msgspec.json.encode(data),
        }
        return WireEvent(**(values | fields))

    def life(
        self, task_id: str, at: int, wait: int, run: int, kind: str = "succeeded", **fields: Any
    ) -> list[WireEvent]:
        """Return the events of a task that ends at a time."""
        return [
            self.event(task_id, "published", at - run - wait, **fields),
            self.event(task_id, "started", at - run, **fields),
            self.event(task_id, kind, at, **fields),
        ]

    def steps(self, **variables: str) -> RollupSteps:
        settings = load({f"Z4J_{name.upper()}": value for name, value in variables.items()})
        return RollupSteps(self.database, settings.settings, self.counters)

    def round(self, **variables: str) -> None:
        """Let the leader do all it has to do."""
        steps = self.steps(**variables)

        async def work() -> None:
            for _ in range(20):
                done = [
                    await steps.summarise_minutes(),
                    await steps.summarise_hours_and_days(),
                    await steps.move_horizons(),
                    await steps.remove_hours(),
                    await steps.remove_minutes(),
                ]
                if all(done) and not self.marks():
                    return
            raise AssertionError(f"the leader does not come to an end: {self.marks()}")

        asyncio.run(work())

    def marks(self) -> list[tuple[str, int]]:
        with self.database.read() as connection:
            rows = connection.execute(select(rollup_marks.c.resolution, rollup_marks.c.bucket))
            return sorted((row.resolution, row.bucket) for row in rows)

    def series(self, since: int, until: int, **fields: Any) -> Series:
        request = Request(since=since, until=until, **fields)
        with self.database.read() as connection:
            return read_series(connection, self.project_id, request, self.now)

    def truth(self, since: int, until: int) -> dict[str, list[int]]:
        """Compute from the tasks one by one: how long those waited and ran that ended then."""
        found: dict[str, list[int]] = {"wait": [], "run": []}
        with self.database.read() as connection:
            for row in connection.execute(
                select(tasks).where(tasks.c.ended_at >= since, tasks.c.ended_at < until)
            ):
                due = max((at for at in (row.queued_at, row.eta) if at is not None), default=None)
                if row.started_at is not None and due is not None:
                    found["wait"].append(max(0, row.started_at - due))
                run = row.run_us
                if run is None and row.started_at is not None:
                    run = max(0, row.ended_at - row.started_at)
                if run is not None:
                    found["run"].append(run)
        return found

    def _add_worker(self, worker_id: str) -> uuid.UUID:
        values: dict[str, Any] = {
            "id": new_id(),
            "project_id": self.project_id,
            "agent_id": self.agent_id,
            "worker_id": worker_id,
            "epoch": uuid.uuid4().hex,
            "engines": [],
            "plugin_errors": [],
            "first_seen": self.now,
            "last_seen": self.now,
        }
        with self.database.write() as connection:
            connection.execute(insert(workers).values(values))
        return values["id"]  # type: ignore[no-any-return]


def nearest_rank(values: list[int], percent: int) -> int:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def assert_measured(found: Any, values: list[int]) -> None:
    """Compare percentiles with the plain computation: within 1 %."""
    if not values:
        assert found is None
        return
    for percent in (50, 95, 99):
        true = nearest_rank(values, percent)
        estimate = getattr(found, f"p{percent}")
        assert abs(estimate - true) <= 0.01 * true * (1 + 1e-6) + 0.5, (percent, estimate, true)


@pytest.fixture
def check() -> Any:
    return assert_measured


@pytest.fixture
def database(record_url: str) -> Iterator[Database]:
    database = Database(record_url, pool_size=4)
    yield database
    database.close()


@pytest.fixture
def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    house = House(database)
    monkeypatch.setattr(rollup_steps, "now", lambda: house.now)
    monkeypatch.setattr(rollup_steps, "GAP_S", 0.0)
    monkeypatch.setattr(rollup_steps, "REST", 0)
    yield house
    house.close()
