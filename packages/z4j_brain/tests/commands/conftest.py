"""A record with a worker that offers actions, a registry that remembers, a clock to set."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

from z4j_brain.audit.author import Actor, Author
from z4j_brain.commands.bulk_request import BulkOptions, BulkRequest, Step
from z4j_brain.commands.bulk_runs import BulkRuns
from z4j_brain.commands.request import CommandRequest
from z4j_brain.commands.service import Commands
from z4j_brain.keys import Keys
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile.bulk import BulkWork
from z4j_brain.reconcile.counters import Counters
from z4j_brain.store import agents, bulk_members, bulk_runs, commands, projects, users
from z4j_brain.store.bulk_members import Member
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.commands import CommandRow
from z4j_brain.store.database import Database
from z4j_brain.store.schema import audit, tasks, workers
from z4j_brain.store.schema import commands as command_table
from z4j_brain.store.types import new_id
from z4j_core.frames import ActionInfo, Command, EngineInfo

KEYS = Keys(b"m" * 40, b"s" * 40)
SECOND = 1_000_000
NOON = 1_700_000_000_000_000
DELAY = '{"type":"object","properties":{"delay_s":{"type":"number"}},"additionalProperties":false}'
EDIT = """{"$ref":"#/$defs/Edit","$defs":{"Edit":{"type":"object","required":["args","kwargs"],
"properties":{"args":{"type":"array"},"kwargs":{"type":"object"}}}}}"""
ACTIONS = [
    ActionInfo("retry", "task", states=["failed", "succeeded"], params_schema=DELAY),
    ActionInfo("retry_edited", "task", params_schema=EDIT),
    ActionInfo("cancel", "task", states=["queued"]),
    ActionInfo("purge", "queue"),
    ActionInfo("shutdown", "worker"),
    ActionInfo("forget", "engine"),
    ActionInfo("terminate", absent="The pool cannot end one task."),
]


class MemoryRegistry:
    """Stands for the links of this process."""

    def __init__(self) -> None:
        self.linked: set[uuid.UUID] = set()
        self.accepts = True
        self.delivered: list[tuple[uuid.UUID, Command]] = []

    def deliver(self, worker_row: uuid.UUID, command: Command) -> bool:
        if worker_row not in self.linked or not self.accepts:
            return False
        self.delivered.append((worker_row, command))
        return True

    def online(self) -> set[uuid.UUID]:
        return set(self.linked)

    def take(self) -> list[Command]:
        taken, self.delivered = [command for _, command in self.delivered], []
        return taken


class MemoryHub:
    """Stands for the live feed."""

    def __init__(self) -> None:
        self.published: list[tuple[uuid.UUID, int, Changes]] = []

    def publish(self, project_id: uuid.UUID, offset: int, changes: Changes) -> None:
        self.published.append((project_id, offset, changes))


class House:
    """One project, its person, its agent, one online worker, and the service under test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.keys = KEYS
        self.now = NOON
        with database.write() as connection:
            self.project_id = projects.create(connection, name="shop", now=NOON).id
            self.user_id = users.create(
                connection,
                email="ada@example.org",
                name="Ada",
                password_hash="-",
                is_admin=True,
                now=NOON,
            ).id
            self.agent_id = agents.create(connection, self.project_id, "web", NOON)
        self.registry = MemoryRegistry()
        self.hub = MemoryHub()
        self.w1 = self.add_worker("w1")
        self.service = self.new_service()

    def new_service(self) -> Commands:
        """A service as after a restart of the server."""
        return Commands(self.database, self.registry, self.hub, KEYS, now=lambda: self.now)  # type: ignore[arg-type]

    def add_worker(self, worker_id: str, *, is_linked: bool = True, **fields: Any) -> uuid.UUID:
        keys = fields.pop("seal_keys", [])
        engines = [EngineInfo("celery", "5", fields.pop("actions", ACTIONS), keys)]
        row = new_id()
        values = {
            "id": row,
            "project_id": self.project_id,
            "agent_id": self.agent_id,
            "worker_id": worker_id,
            "epoch": uuid.uuid4().hex,
            "engines": msgspec.to_builtins(engines),
            "plugin_errors": [],
            "first_seen": NOON,
            "last_seen": NOON,
        }
        with self.database.write() as connection:
            connection.execute(insert(workers).values(values | fields))
        if is_linked:
            self.registry.linked.add(row)
        return row

    def change_worker(self, row: uuid.UUID, **fields: Any) -> None:
        with self.database.write() as connection:
            connection.execute(update(workers).where(workers.c.id == row).values(fields))

    def add_task(self, task_id: str = "t", **fields: Any) -> None:
        values = {
            "project_id": self.project_id,
            "engine": "celery",
            "task_id": task_id,
            "state": "failed",
            "state_rank": 6,
            "state_at": NOON,
            "attempt": 0,
            "first_at": NOON,
            "last_at": NOON,
            "ended_at": NOON,
            "worker": "w1",
            "name": "app.send",
            "queue": "email",
            "args": "[1]",
            "kwargs": '{"a":2}',
            "exact": True,
        }
        with self.database.write() as connection:
            connection.execute(insert(tasks).values(values | fields))

    def request(self, action: str = "retry", **fields: Any) -> CommandRequest:
        values = {
            "project_id": self.project_id,
            "user_id": self.user_id,
            "engine": "celery",
            "action": action,
            "params": b"{}",
            "task_id": "t",
        }
        values |= fields
        if values["user_id"] is not None:
            values["author"] = Author(KEYS, Actor("person", self.user_id, "ada@example.org"))
        return CommandRequest(**values)

    def finish(self, command_id: object, *, ok: bool = True, **fields: Any) -> uuid.UUID | None:
        values = {"result": "null", "error": None, "at": self.now} | fields
        worker = values.pop("worker", None) or self._sent_to(command_id)
        with self.database.write() as connection:
            return commands.finish(connection, worker, str(command_id), ok, **values)

    def _sent_to(self, command_id: object) -> uuid.UUID:
        if not isinstance(command_id, uuid.UUID):
            return uuid.UUID(int=0)
        found = select(command_table.c.sent_to).where(command_table.c.id == command_id)
        with self.database.read() as connection:
            return connection.execute(found).scalar() or uuid.UUID(int=0)

    def find(self, command_id: uuid.UUID) -> CommandRow:
        with self.database.read() as connection:
            row = commands.find(connection, self.project_id, command_id)
        assert row is not None
        return row

    def texts(self) -> str:
        """Everything that is stored of commands, as one text."""
        with self.database.read() as connection:
            return repr(connection.execute(select(command_table)).all())


class Bulk:
    """What tests do with bulk runs of a `House`."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.runs = BulkRuns(house.database, house.hub, now=lambda: house.now)
        self.counters = Counters()
        self.seconds = 0.0
        self.work = self.new_work()

    def new_work(self) -> BulkWork:
        """The leader's work as after a restart of the server."""
        house = self.house
        return BulkWork(
            house.database,
            self.counters,
            house.service,
            house.hub,
            house.keys,
            now=lambda: house.now,
            monotonic_s=lambda: self.seconds,
        )

    def author(self) -> Author:
        return Author(self.house.keys, Actor("person", self.house.user_id, "ada@example.org"))

    def request(self, filter: str = "state:failed", **fields: Any) -> BulkRequest:
        options = {
            "rate": 500.0,
            "canary_percent": 0.0,
            "canary_max_failed_percent": 20.0,
            "canary_then": "go_on",
            "canary_patience_s": 600,
            "skip_retried": True,
        }
        options |= {name: fields.pop(name) for name in list(fields) if name in options}
        values = {
            "project_id": self.house.project_id,
            "user_id": self.house.user_id,
            "key_id": None,
            "author": self.author(),
            "engine": "celery",
            "action": "retry",
            "params": b"{}",
            "filter": filter,
            "options": BulkOptions(**options),
        }
        return BulkRequest(**(values | fields))

    def make(self, filter: str = "state:failed", **fields: Any) -> BulkRun:
        return asyncio.run(self.runs.create(self.request(filter, **fields)))

    def take(self, run: BulkRun, step: str) -> BulkRun:
        done = asyncio.run(self.runs.take(self.house.project_id, run.id, Step(step), self.author()))
        assert done is not None
        return done

    def look(self, times: int = 1) -> None:
        """Let the leader look, a second each."""
        for _ in range(times):
            self.seconds += 1.0
            asyncio.run(self.work.look())

    def find(self, run: BulkRun) -> BulkRun:
        with self.house.database.read() as connection:
            found = bulk_runs.find(connection, self.house.project_id, run.id)
        assert found is not None
        return found

    def members(self, run: BulkRun) -> list[Member]:
        with self.house.database.read() as connection:
            return bulk_members.page(connection, self.find(run), None, 0, 100_000)

    def states(self, run: BulkRun) -> list[str]:
        return [one.state for one in self.members(run)]

    def add_tasks(self, count: int, prefix: str = "t", **fields: Any) -> None:
        """Add failed tasks, each a microsecond younger than the one before."""
        at = self.house.now - SECOND
        rows = [
            {
                "project_id": self.house.project_id,
                "engine": "celery",
                "task_id": f"{prefix}{number:05}",
                "state": "failed",
                "state_rank": 6,
                "state_at": at,
                "attempt": 0,
                "first_at": at + number,
                "last_at": at,
                "ended_at": at,
                "name": "app.send",
                "args": "[1]",
                "kwargs": "{}",
                "exact": True,
            }
            | fields
            for number in range(count)
        ]
        with self.house.database.write() as connection:
            connection.execute(insert(tasks), rows)

    def answer(self, commands: list[Command] | None = None, *, makes: bool = True) -> None:
        """Answer what was sent: each retry makes a task of its own."""
        for command in self.house.registry.take() if commands is None else commands:
            made = f'{{"task_id":"again-{command.task.task_id}"}}' if command.task else "null"
            self.house.finish(uuid.UUID(command.id), result=made if makes else "null")

    def asked(self) -> list[str]:
        """Return the task of every command there is."""
        with self.house.database.read() as connection:
            return sorted(connection.execute(select(command_table.c.task_id)).scalars())

    def audited(self) -> list[Any]:
        with self.house.database.read() as connection:
            found = select(audit).where(audit.c.action.like("bulk_run.%"))
            return list(connection.execute(found.order_by(audit.c.number)))


@pytest.fixture
def house(record_url: str) -> Iterator[House]:
    database = Database(record_url, pool_size=4)
    house = House(database)
    yield house
    database.close()


@pytest.fixture
def bulk(house: House) -> Bulk:
    return Bulk(house)


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    return asyncio.run
