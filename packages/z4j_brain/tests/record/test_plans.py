"""The filters that docs/filters.md calls quick are served by an index, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from z4j_brain.filters import parse_filter
from z4j_brain.store import ingest_postgres, task_filter, tasks
from z4j_brain.store.schema import tasks as table
from z4j_core.events import Kind, WireEvent
from z4j_core.fold import Details, row_of

NUMBER = 20_000


def fill(record: Any, noon: int) -> None:
    """Insert what a busy project looks like: nearly all succeeded, a few of everything else."""
    states = {1: "failed", 2: "cancelled", 3: "running", 4: "queued"}
    rows = []
    for number in range(NUMBER):
        state = states.get(number % 1_000, "succeeded")
        at = noon + number * 1_000_000
        rows.append(
            {
                "project_id": record.project_id,
                "engine": "celery",
                "task_id": f"{(number * 7_919) % NUMBER:05x}",
                "state": state,
                "state_rank": 7,
                "state_at": at,
                "attempt": 0,
                "first_at": at,
                "last_at": at,
                "ended_at": None if state in ("running", "queued") else at,
                "name": f"app.job{number % 400}",
                "queue": "email" if number % 500 else "rare",
                "exception_type": "ValueError" if state == "failed" else None,
            }
        )
    with record.database.write() as connection:
        connection.execute(table.insert(), rows)
    with record.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def plan(record: Any, words: str, now: int) -> str:
    """Return how the database reads the first page of a filter."""
    seen: list[tuple[str, Any]] = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    with record.database.read() as connection:
        where = task_filter.where(connection, record.project_id, parse_filter(words), now)
        event.listen(connection.engine, "before_cursor_execute", remember)
        tasks.page(connection, where, after=None, is_ascending=False, limit=51)
        event.remove(connection.engine, "before_cursor_execute", remember)
        [(statement, parameters)] = seen
        explain = "EXPLAIN " if record.database.is_postgres else "EXPLAIN QUERY PLAN "
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
    return "\n".join(" ".join(map(str, row)) for row in rows)


SERVED = {
    "": "ix_tasks_recent",
    "state:failed": "ix_tasks_trouble",
    "-state:succeeded,queued,received,running,retrying": "ix_tasks_trouble",
    "state:running": "ix_tasks_ended",
    "state:queued,running": "ix_tasks_ended",
    "queue:rare": "ix_tasks_queue",
    "name:app.job7": "ix_tasks_name",
    "name:~job77": "ix_tasks_name",
    "exception:KeyError": "ix_tasks_exception",
    "id:00ab": "pk_tasks",
    "queue:email state:failed": "ix_tasks_trouble",
    "name:app.job1 state:failed": "ix_tasks_trouble",
    "parent:x": "ix_tasks_parent",
    "group:x": "ix_tasks_group",
    "retried_from:x": "ix_tasks_retried_from",
    "issue:x": "ix_tasks_issue",
}


def test_an_index_serves_the_filter(record: Any, noon: int) -> None:
    fill(record, noon)
    now = noon + NUMBER * 1_000_000
    plans = {words: plan(record, words, now) for words in SERVED}
    assert "pk_tasks" not in plans[""]
    for words, index in SERVED.items():
        # SQLite names the index of a primary key after the table.
        served = index in plans[words] or (index == "pk_tasks" and "autoindex" in plans[words])
        assert served, f"{words!r} should use {index}:\n{plans[words]}"
        assert "Seq Scan" not in plans[words]


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_a_task_on_its_way_is_updated_in_place(record: Any, noon: int) -> None:
    """PostgreSQL itself counts the updates that touched no index (HOT)."""
    life = (Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED)
    updates = []
    with record.database.engine.connect() as connection:
        with connection.begin():
            ingest_postgres.prepare_connection(connection)
        for number, kind in enumerate(life):
            told = WireEvent(kind, "celery", "t", 0, noon + number, "app.send", "email", b"{}")
            row = row_of(told, Details(), "w1")
            with connection.begin():
                rows = {(record.project_id, "celery", "t"): row}
                ingest_postgres.stage_tasks(connection, rows)
                ingest_postgres.write_tasks(connection, rows)
                connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
            with connection.begin():
                query = (
                    "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = %s"
                )
                updates.append(tuple(connection.exec_driver_sql(query, ("tasks",)).one()))
    assert updates == [(0, 0), (1, 1), (2, 2), (3, 2)]


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_the_minutes_of_known_tasks_are_found_by_their_key(record: Any, noon: int) -> None:
    """Also where the first batches met hardly any tasks: no plan of that time is kept."""
    key = (record.project_id, "celery", "t")
    told = WireEvent(Kind.SUCCEEDED, "celery", "t", 0, noon, "app.send", "email", b"{}")
    rows = {key: row_of(told, Details(), "w1")}
    many = {(*key[:2], f"t{number}"): rows[key] for number in range(2_000)}
    with record.database.engine.connect() as connection:
        with connection.begin():
            ingest_postgres.prepare_connection(connection)
        for batch in (*[rows] * 8, many):
            with connection.begin():
                ingest_postgres.stage_tasks(connection, batch)
                ingest_postgres.mark_minutes(connection, batch, set(), "w", 1)
                ingest_postgres.write_tasks(connection, batch)
        before = entries_read(connection)
        with connection.begin():
            ingest_postgres.stage_tasks(connection, rows)
            ingest_postgres.mark_minutes(connection, rows, set(), "w", 2)
        assert 1 <= entries_read(connection) - before <= 5


def entries_read(connection: Any) -> int:
    """Return how many entries of the primary key of tasks have been read so far."""
    with connection.begin():
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with connection.begin():
        query = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'pk_tasks'"
        return int(connection.exec_driver_sql(query).scalar_one())
