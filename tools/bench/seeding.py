"""A record of any size, written by the store's own functions in large transactions.

Tasks look like those of a busy shop: 200 names and 20 queues of very different frequency, nearly
all succeeded, a few of everything else; ids are random, times spread evenly up to now.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text
from synthetic import make_events

from z4j_brain.store import ingest_postgres, ingest_sqlite, partitions
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import COUNTED_KINDS, Origin, RollupKey, StoredEvent, TaskKey
from z4j_brain.store.types import new_id
from z4j_core.events import WireEvent
from z4j_core.fold import TaskRow

BATCH = 20_000
DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
EVENTS_A_TASK = 4
NAMES = tuple(
    f"shop.{area}.{verb}_{thing}"
    for area in ("orders", "mail", "media", "stock", "billing")
    for verb in ("send", "sync", "resize", "export", "refresh")
    for thing in ("invoice", "basket", "photo", "report", "ledger", "price", "label", "feed")
)
QUEUES = ("default", *(f"queue{number}" for number in range(1, 20)))
EXCEPTIONS = tuple(f"shop.errors.Error{number}" for number in range(30))
WORKERS = tuple(f"celery@w{number}" for number in range(50))
_INDEXES_POSTGRES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indrelid = 'tasks'::regclass AND NOT indisprimary ORDER BY indexrelid"
)
_INDEXES_SQLITE = (
    "SELECT name, sql FROM sqlite_master"
    " WHERE tbl_name = 'tasks' AND type = 'index' AND sql IS NOT NULL ORDER BY rowid"
)
_STATES = (
    ("succeeded", 950),
    ("failed", 30),
    ("cancelled", 5),
    ("rejected", 2),
    ("retrying", 3),
    ("queued", 6),
    ("running", 4),
)
_ENDED = frozenset({"succeeded", "failed", "cancelled", "rejected"})


def hot_path(database: Database) -> ModuleType:
    """Return the module that writes to this database at speed."""
    return ingest_postgres if database.is_postgres else ingest_sqlite


def seed_tasks(database: Database, project_id: UUID, count: int, days: float, until: int) -> None:
    """Add `count` tasks of the last `days` before `until`, and the rollups of its last hour."""
    shuffled = random.Random(7)
    with filling(database) as connection:
        for start in range(0, count, BATCH):
            size = min(BATCH, count - start)
            rows = make_tasks(shuffled, project_id, start, size, count, days, until)
            with connection.begin():
                hot_path(database).stage_tasks(connection, rows)
                hot_path(database).write_tasks(connection, rows)
        with connection.begin():
            hot_path(database).write_rollups(connection, last_hour(project_id, until), "bench")


def make_tasks(
    shuffled: random.Random,
    project_id: UUID,
    start: int,
    size: int,
    count: int,
    days: float,
    until: int,
) -> dict[TaskKey, TaskRow]:
    """Return the tasks number `start` and following of `count`, the oldest first."""
    step = days * DAY_US / count
    states = shuffled.choices(*zip(*_STATES, strict=True), k=size)
    rows: dict[TaskKey, TaskRow] = {}
    for number, state in enumerate(states):
        # Dividing by a random number makes a few values frequent and most of them rare.
        place = int(1 / (shuffled.random() + 0.001))
        first_at = until - round((count - start - number) * step)
        task_id = f"{shuffled.getrandbits(128):032x}"
        rows[project_id, "celery", task_id] = _task(state, first_at, place, task_id)
    return rows


def _task(state: str, at: int, place: int, task_id: str) -> TaskRow:
    failed = state == "failed"
    return TaskRow(
        state=state,
        state_rank=7,
        state_at=at + 900_000,
        worker=None if state == "queued" else WORKERS[place % len(WORKERS)],
        result='{"stored":true,"rows":3}' if state == "succeeded" else None,
        run_us=250_000 if state in _ENDED else None,
        exception_type=EXCEPTIONS[place % len(EXCEPTIONS)] if failed else None,
        exception_message="the warehouse did not answer" if failed else None,
        ended_at=at + 900_000 if state in _ENDED else None,
        queued_at=at,
        received_at=at + 300_000,
        started_at=at + 600_000,
        first_at=at,
        published_at=at,
        name=NAMES[place % len(NAMES)],
        queue=QUEUES[place % len(QUEUES)],
        args='[4242,"2026-11-21",{"currency":"EUR","total":9.99}]',
        kwargs='{"customer_id":4242,"locale":"en","notify":true}',
        exact=True,
        root_id=task_id,
        last_at=at + 900_000,
    )


def last_hour(project_id: UUID, until: int) -> dict[RollupKey, list[int]]:
    """Return counts of the last hour for each queue and name that a shop would have busy."""
    minute = until // MINUTE_US * MINUTE_US
    counts = [3] * len(COUNTED_KINDS)
    return {
        (project_id, minute - ago * MINUTE_US, "celery", queue, name): list(counts)
        for ago in range(60)
        for queue in QUEUES[:5]
        for name in NAMES[:20]
    }


def seed_events(database: Database, project_id: UUID, count: int, days: list[int]) -> None:
    """Append `count` events, evenly over these days (their first moments in microseconds)."""
    template = make_events(BATCH, days[0])
    shuffled = random.Random(11)
    with filling(database) as connection:
        with connection.begin():
            partitions.create_missing(connection, days)
        for day in days:
            for _ in range(max(count // len(days) // BATCH, 1)):
                origin = Origin(project_id, new_id(), day + DAY_US // 2)
                batch = list(_lives(template, origin, shuffled))
                with connection.begin():
                    hot_path(database).write_events(connection, batch)


def _lives(
    template: Iterable[WireEvent], origin: Origin, shuffled: random.Random
) -> Iterator[StoredEvent]:
    """Yield the template's events under new random ids, four a task."""
    ids = [f"{shuffled.getrandbits(128):032x}" for _ in range(BATCH // EVENTS_A_TASK)]
    for number, event in enumerate(template):
        fresh = msgspec.structs.replace(event, task_id=ids[number % len(ids)])
        yield StoredEvent(origin, fresh, fresh.payload)


@contextmanager
def filling(database: Database) -> Iterator[Connection]:
    """Give a connection whose commits wait for no disk; the tasks' indexes are made at the end."""
    with database.engine.connect() as connection:
        for statement in (
            ["SET synchronous_commit = off"]
            if database.is_postgres
            else ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"]
        ):
            connection.exec_driver_sql(statement)
        # In the order in which they are: SQLite takes the newest of two that seem equally good.
        indexes = connection.exec_driver_sql(
            _INDEXES_POSTGRES if database.is_postgres else _INDEXES_SQLITE
        ).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.commit()
        hot_path(database).prepare_connection(connection)
        connection.commit()
        yield connection
        for _, definition in indexes:
            connection.exec_driver_sql(definition)
        connection.commit()
        connection.invalidate()  # its settings are for nobody else
    if database.is_postgres:  # which would do so by itself in a minute; SQLite is never told
        with database.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM (ANALYZE) tasks"))
