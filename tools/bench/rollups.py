"""How long summaries of rollups take: `python tools/bench/rollups.py --database sqlite`.

Fills one minute of a fresh database with tasks that ended in it, of many queues and names, and
prints how long its summary takes, beside a plain count of the same tasks. Then it prints how long
an hour of sixty such summaries takes to be merged, and how long the page of an hour takes to be
read. Takes about half a minute for 100,000 tasks.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, insert, select

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from services.postgres import running_postgres  # noqa: E402
from z4j_brain.reconcile.summaries import minute_of, summarise  # noqa: E402
from z4j_brain.series.reading import Request, read_series  # noqa: E402
from z4j_brain.store import migrate, projects, rollup_marks, summaries  # noqa: E402
from z4j_brain.store.database import Database  # noqa: E402
from z4j_brain.store.schema import rollups, tasks  # noqa: E402

S = 1_000_000
HOUR = 3_600 * S
MINUTE = 60 * S
START = 1_700_000_000 * S // HOUR * HOUR
QUEUES, NAMES = 10, 15


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long the leader takes.")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--tasks", type=int, default=100_000, help="that end in the minute")
    options = parser.parse_args()
    with a_database(options.database) as url:
        database = Database(url, statement_timeout_ms=0)
        migrate.upgrade(database)
        with database.write() as connection:
            project_id = projects.create(connection, name="Bench", now=START).id
        fill(database, project_id, options.tasks)
        measure(database, project_id, options)
        database.close()


@contextmanager
def a_database(kind: str) -> Iterator[str]:
    """Give a fresh database; PostgreSQL with fsync."""
    if kind == "postgresql":
        with running_postgres(fsync=True) as postgres:
            yield postgres.create_database()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/z4j.db"


def fill(database: Database, project_id: uuid.UUID, number: int) -> None:
    """Store tasks that ended in the first minute, and what ingest counted of them."""
    chance = random.Random(7)
    rows = []
    for index in range(number):
        run, wait = int(chance.lognormvariate(12, 2)), int(chance.lognormvariate(10, 2))
        ended = START + chance.randrange(MINUTE)
        rows.append(
            {
                "project_id": project_id,
                "engine": "celery",
                "task_id": f"t{index:09}",
                "state": "succeeded",
                "state_rank": 7,
                "state_at": ended,
                "run_us": run if index % 2 else None,
                "ended_at": ended,
                "attempt": 0,
                "queued_at": ended - run - wait,
                "started_at": ended - run,
                "first_at": ended - run - wait,
                "last_at": ended,
                "queue": f"queue{index % QUEUES}",
                "name": f"app.tasks.name{index % (QUEUES * NAMES)}",
            }
        )
    counted = [
        {
            "project_id": project_id,
            "bucket": START + minute * MINUTE,
            "engine": "celery",
            "queue": f"queue{key % QUEUES}",
            "name": f"app.tasks.name{key}",
            "writer": "one",
            "succeeded": number // (QUEUES * NAMES),
        }
        for minute in range(60)
        for key in range(QUEUES * NAMES)
    ]
    with database.write() as connection:
        for first in range(0, number, 5_000):
            connection.execute(insert(tasks), rows[first : first + 5_000])
        connection.execute(insert(rollups), counted)
        rollup_marks.mark(connection, project_id, "minute", START)
    if database.is_postgres:
        with database.engine.connect() as connection:
            autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
            autocommit.exec_driver_sql("ANALYZE tasks")


def measure(database: Database, project_id: uuid.UUID, options: argparse.Namespace) -> None:
    def count_only() -> None:
        with database.read() as connection:
            connection.execute(
                select(func.count()).where(
                    tasks.c.project_id == project_id,
                    tasks.c.ended_at >= START,
                    tasks.c.ended_at < START + MINUTE,
                )
            ).scalar_one()

    def minute() -> None:
        with database.write() as connection:
            rollup_marks.mark(connection, project_id, "minute", START)
        summarise(database, project_id, "minute", START)

    def hour() -> None:
        with database.write() as connection:
            rollup_marks.mark(connection, project_id, "hour", START)
        summarise(database, project_id, "hour", START)

    def page(group_by: str) -> None:
        request = Request(since=START, until=START + HOUR, group_by=group_by, has_points=True)  # type: ignore[arg-type]
        with database.read() as connection:
            read_series(connection, project_id, request, START + HOUR)

    keys = QUEUES * NAMES
    print(f"{options.database}: {options.tasks:,} tasks ended in a minute, {keys} keys")
    tell("count of these tasks alone", count_only)
    tell("a minute summarised", minute)
    with database.read() as connection:
        found = minute_of(connection, project_id, START, measured=True)
    with database.write() as connection:
        for number in range(1, 60):
            at = START + number * MINUTE
            summaries.replace(connection, project_id, "minute", at, found)
    tell("an hour of sixty such minutes merged", hour)
    tell("the series of the hour read", lambda: page("none"))
    tell("the same by queue", lambda: page("queue"))
    tell("the same by task name", lambda: page("name"))


def tell(what: str, work: Callable[[], None], times: int = 5) -> None:
    """Print the median of several runs, CPU of this process beside it."""
    spent = []
    for _ in range(times):
        begun, cpu = time.perf_counter(), time.thread_time()
        work()
        spent.append((time.perf_counter() - begun, time.thread_time() - cpu))
    elapsed, used = sorted(spent)[times // 2]
    print(f"{what:>40}: {elapsed * 1_000:7.1f} ms, of it Python and its driver {used * 1_000:7.1f}")


if __name__ == "__main__":
    main()
