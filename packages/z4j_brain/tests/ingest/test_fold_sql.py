"""The database's fold equals the fold in memory, for any order, repetition and split."""

from __future__ import annotations

import uuid
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from z4j_brain.ingest.cleaning import details_of
from z4j_brain.ingest.failures import FAILING
from z4j_brain.store import ingest_postgres, ingest_sqlite
from z4j_brain.store.database import Database
from z4j_brain.store.schema import tasks
from z4j_brain.store.upsert import ROW_COLUMNS, TASK_COLUMNS
from z4j_core.events import Kind, WireEvent
from z4j_core.fold import SLOT_OF, TaskRow, join, row_of

TIMES = st.integers(1_000, 1_006)
WORDS = st.sampled_from(["a", "b", "B", "é", "zz", "\U0001f600", "\uffee", ""])
PAYLOADS = st.fixed_dictionaries(
    {},
    optional={
        "args": st.sampled_from([[], [1], ["é"], {"a": 1}]),
        "kwargs": st.sampled_from([{}, {"x": None}]),
        "result": st.sampled_from([None, 1, "done"]),
        "exact": st.booleans(),
        "eta": TIMES,
        "published_at": TIMES,
        "run_us": st.integers(0, 3),
        "priority": st.integers(-2, 9),
        "parent_id": WORDS,
        "root_id": WORDS,
        "group_id": WORDS,
        "retried_from": WORDS,
        "issue": WORDS,
        "exception": st.fixed_dictionaries({"type": WORDS, "message": WORDS}),
    },
)
EVENTS = st.builds(
    WireEvent,
    kind=st.sampled_from(Kind),
    engine=st.just("celery"),
    task_id=st.just("t"),
    attempt=st.integers(0, 2),
    occurred_at=TIMES,
    name=st.none() | WORDS,
    queue=st.none() | WORDS,
    payload=PAYLOADS.map(msgspec.json.encode),
)
REPORTED = st.tuples(EVENTS, st.sampled_from(["w1", "w2"]))


def row_with_issue(event: WireEvent, worker: str) -> TaskRow:
    """Return the row of one event; the ingest adds the issue, which no payload can name."""
    row = row_of(event, details_of(event.payload), worker)
    assert row.issue is None
    if event.kind in FAILING:
        row.issue = f"{len(event.payload) % 3}"
    return row


def fold(events: list[tuple[WireEvent, str]]) -> TaskRow:
    first, *rest = [row_with_issue(event, worker) for event, worker in events]
    for row in rest:
        join(first, row)
    return first


def stored(
    database: Database, hot: ModuleType, project_id: uuid.UUID, batches: list[list[Any]]
) -> dict[str, Any]:
    """Write the batches one after the other into an empty table; return the row they make."""
    with database.write() as connection:
        connection.execute(delete(tasks))
        hot.prepare_connection(connection)
    for batch in batches:
        with database.write() as connection:
            hot.write_tasks(connection, {(project_id, "celery", "t"): fold(batch)})
    with database.read() as connection:
        row = connection.execute(select(tasks)).mappings().one()
    return {name: row[name] for name in ROW_COLUMNS}


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Any], list[list[Any]]]:
    """Draw a set of events, and batches of all of them, in any order, some repeated."""
    events = draw(st.lists(REPORTED, min_size=1, max_size=8))
    again = events + draw(st.lists(st.sampled_from(events), max_size=4))
    order = draw(st.permutations(again))
    batches = []
    while order:
        size = draw(st.integers(1, len(order)))
        batches.append(order[:size])
        order = order[size:]
    return events, batches


@pytest.fixture
def hot(database: Database) -> ModuleType:
    return ingest_postgres if database.is_postgres else ingest_sqlite


def test_every_column_of_a_task_is_folded() -> None:
    assert set(TASK_COLUMNS) == {column.name for column in tasks.c if column.computed is None}
    assert set(ROW_COLUMNS) == set(SLOT_OF)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=deliveries())
def test_sql_folds_as_memory_does(
    record: Any, database: Database, hot: ModuleType, drawn: tuple[list[Any], list[list[Any]]]
) -> None:
    events, batches = drawn
    expected = msgspec.structs.asdict(fold(events))
    assert stored(database, hot, record.project_id, batches) == expected
