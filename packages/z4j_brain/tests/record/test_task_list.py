"""Pages and filters of the task list, on both databases, over tasks that events made."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from z4j_brain.filters import parse_filter
from z4j_brain.store import task_filter
from z4j_brain.store.schema import tasks
from z4j_brain.store.tasks import COUNT_LIMIT, page
from z4j_brain.tasks.listing import Count, list_tasks
from z4j_core.events import Kind
from z4j_core.fold import STATES

SECOND = 1_000_000
ERROR = {"exception": {"type": "ValueError", "message": "no such account"}}


@pytest.fixture
def shop(record: Any, event: Any) -> Any:
    """Eleven tasks in all states, on two engines, told by two workers."""
    w2 = record.add_worker("w2")
    s = SECOND
    record.tell(
        event("queued-1", Kind.PUBLISHED, 1 * s),
        event("queued-2", Kind.PUBLISHED, 2 * s, queue=None, name=None),
        event("received-1", Kind.RECEIVED, 3 * s, name="app.Invoice_100%"),
        event("running-1", Kind.STARTED, 4 * s, data={"root_id": "tree", "parent_id": "tree"}),
        event("tree", Kind.STARTED, 5 * s, data={"root_id": "tree", "group_id": "g"}),
        event("tree", Kind.SUCCEEDED, 6 * s, data={"run_us": 7, "result": 1}),
        event("failed-1", Kind.STARTED, 7 * s, queue="slow"),
        event("failed-1", Kind.FAILED, 8 * s, queue="slow", data=ERROR),
        event("again-1", Kind.PUBLISHED, 9 * s, data={"retried_from": "failed-1"}),
    )
    record.tell(
        event("retrying-1", Kind.RETRIED, 10 * s, data=ERROR),
        event("cancelled-1", Kind.CANCELLED, 11 * s, name="app.invoice"),
        event("rejected-1", Kind.REJECTED, 12 * s, engine="rq", queue="email"),
        event("failed-1", Kind.SUCCEEDED, 13 * s, engine="rq", queue="slow"),
        worker=w2,
    )
    return record


def found(record: Any, text: str, noon: int) -> set[str]:
    def work(connection: Any, project_id: Any) -> Any:
        return list_tasks(connection, project_id, parse_filter(text), now=noon + 14 * SECOND)

    listed = record.read(work)
    assert listed.count == Count(len(listed.items), is_capped=False)
    return {f"{task.engine}/{task.task_id}" for task in listed.items}


ALL = {
    "celery/queued-1",
    "celery/queued-2",
    "celery/received-1",
    "celery/running-1",
    "celery/tree",
    "celery/failed-1",
    "celery/again-1",
    "celery/retrying-1",
    "celery/cancelled-1",
    "rq/rejected-1",
    "rq/failed-1",
}


EXPECTED: dict[str, set[str]] = {
    "": ALL,
    "state:failed": {"celery/failed-1"},
    "state:failed,cancelled,rejected": {"celery/failed-1", "celery/cancelled-1", "rq/rejected-1"},
    "state:running,succeeded": {"celery/running-1", "celery/tree", "rq/failed-1"},
    "state:queued": {"celery/queued-1", "celery/queued-2", "celery/again-1"},
    "state:received,retrying": {"celery/received-1", "celery/retrying-1"},
    "state:unknown": set(),
    "-state:queued,received,running,retrying,succeeded": {
        "celery/failed-1",
        "celery/cancelled-1",
        "rq/rejected-1",
    },
    "queue:slow": {"celery/failed-1", "rq/failed-1"},
    "queue:SLOW": set(),
    "queue:~LO": {"celery/failed-1", "rq/failed-1"},
    "-queue:email": {"celery/queued-2", "celery/failed-1", "rq/failed-1"},
    "name:app.invoice": {"celery/cancelled-1"},
    "name:~INVOICE": {"celery/received-1", "celery/cancelled-1"},
    "name:~_100%": {"celery/received-1"},
    "name:~nowhere": set(),
    "-name:~app": {"celery/queued-2"},
    "engine:rq": {"rq/rejected-1", "rq/failed-1"},
    "worker:w2": {"celery/retrying-1", "celery/cancelled-1", "rq/rejected-1", "rq/failed-1"},
    "-worker:w1,w2": {"celery/queued-1", "celery/queued-2", "celery/again-1"},
    "exception:ValueError": {"celery/failed-1", "celery/retrying-1"},
    "exception:~value state:failed": {"celery/failed-1"},
    "id:failed": {"celery/failed-1", "rq/failed-1"},
    "id:queued-,tree": {"celery/queued-1", "celery/queued-2", "celery/tree"},
    "id:\U0010ffff": set(),
    "since:4s": {"celery/retrying-1", "celery/cancelled-1", "rq/rejected-1", "rq/failed-1"},
    "until:2023-11-14T22:13:22": {"celery/queued-1", "celery/queued-2"},
    "-since:12s": {"celery/queued-1"},
    "parent:tree": {"celery/running-1"},
    "root:tree": {"celery/running-1", "celery/tree"},
    "group:g": {"celery/tree"},
    "retried_from:failed-1": {"celery/again-1"},
    "invoice": {"celery/received-1", "celery/cancelled-1"},
    "failed": {"celery/failed-1", "rq/failed-1"},
    "-failed -invoice queue:slow": set(),
}


def test_filters(shop: Any, noon: int) -> None:
    assert {text: found(shop, text, noon) for text in EXPECTED} == EXPECTED


HOSTILE = [
    "x' OR '1'='1",
    "'; DROP TABLE tasks; --",
    "\\",
    "\\'; DELETE FROM tasks; --",
    "%",
    "_",
    "%(name)s",
    ":name",
    "$1",
    "{0}",
    "/*",
    "\U0001f600\u202e",
    "e\u0301",
]


@pytest.mark.parametrize("key", ["queue:", "name:~", "worker:~", "id:", "root:", "exception:", ""])
def test_hostile_values_are_only_values(shop: Any, noon: int, key: str) -> None:
    # The one task whose name holds both signs that LIKE would take for any text.
    holders = {"%", "_"} if key in {"name:~", ""} else set()
    expected = {v: {"celery/received-1"} if v in holders else set() for v in HOSTILE}
    assert {v: found(shop, f'{key}"{v}"', noon) for v in HOSTILE} == expected
    assert found(shop, "", noon) == ALL


def test_another_projects_tasks_are_not_seen(shop: Any, event: Any, noon: int) -> None:
    other = shop.add_project("other")
    agent = shop.add_agent(other, "web")
    worker = shop.add_worker("w1", project_id=other, agent_id=agent)
    shop.tell(event("secret", Kind.FAILED), worker=worker, project_id=other)
    assert found(shop, "", noon) == ALL
    assert found(shop, "secret", noon) == set()


def add_rows(record: Any, noon: int, number: int, *, ties: int = 7) -> None:
    """Insert succeeded tasks, `ties` of them at a time first heard of in the same microsecond."""
    with record.database.write() as connection:
        connection.execute(
            insert(tasks),
            [
                {
                    "project_id": record.project_id,
                    "engine": "celery" if index % 2 else "rq",
                    "task_id": f"task-{index // 2}",
                    "state": "succeeded",
                    "state_rank": 7,
                    "state_at": noon,
                    "attempt": 0,
                    "first_at": noon + index // ties,
                    "last_at": noon,
                    "ended_at": noon,
                    "name": f"app.job{index % 5}",
                }
                for index in range(number)
            ],
        )


@pytest.mark.parametrize("is_ascending", [False, True])
@pytest.mark.parametrize("text", ["", "name:app.job3", "state:succeeded -name:app.job0"])
def test_pages_join_without_gap_or_repetition(
    record: Any, noon: int, is_ascending: bool, text: str
) -> None:
    add_rows(record, noon, 300)
    keys: list[tuple[int, str, str]] = []
    after, count = None, None
    while True:
        listed = record.read(
            list_tasks,
            parse_filter(text),
            now=noon,
            after=after,
            known_count=count,
            is_ascending=is_ascending,
            limit=13,
        )
        keys += [(task.first_at, task.task_id, task.engine) for task in listed.items]
        count = listed.count
        after = listed.next
        if after is None:
            break
        assert len(listed.items) == 13
        assert after == keys[-1]
    expected = {"": 300, "name:app.job3": 60}.get(text, 240)
    assert len(set(keys)) == len(keys) == expected == count.value
    assert keys == sorted(keys, reverse=not is_ascending)


def test_counts_are_capped_and_say_so(record: Any, noon: int) -> None:
    add_rows(record, noon, COUNT_LIMIT + 1)
    listed = record.read(list_tasks, parse_filter(""), now=noon, limit=5)
    assert listed.count == Count(COUNT_LIMIT, is_capped=True)
    listed = record.read(list_tasks, parse_filter("-id:task-0"), now=noon, limit=5)
    assert listed.count.is_capped is False or listed.count.value == COUNT_LIMIT


def test_a_name_that_many_names_contain_is_found_without_naming_them(
    record: Any, event: Any, noon: int
) -> None:
    record.tell(*(event(f"t{n}", Kind.SUCCEEDED, n, name=f"job.n{n:04}") for n in range(1_100)))
    listed = record.read(list_tasks, parse_filter("name:~N0042"), now=noon)
    assert [task.task_id for task in listed.items] == ["t42"]


def test_a_page_belongs_to_an_offset(record: Any, event: Any, noon: int) -> None:
    before = record.read(list_tasks, parse_filter(""), now=noon).offset
    record.tell(event("t", Kind.STARTED))
    listed = record.read(list_tasks, parse_filter(""), now=noon)
    assert (listed.offset, len(listed.items)) == (before + 1, 1)


def test_waiting_and_running_times(record: Any, event: Any, noon: int) -> None:
    s = SECOND
    record.tell(
        event("plain", Kind.PUBLISHED, 0),
        event("plain", Kind.STARTED, 2 * s),
        event("plain", Kind.SUCCEEDED, 5 * s),
        event("later", Kind.PUBLISHED, 0, data={"eta": noon + 10 * s}),
        event("later", Kind.STARTED, 11 * s),
        event("later", Kind.SUCCEEDED, 12 * s, data={"run_us": 400_000}),
        event("early", Kind.PUBLISHED, 0, data={"eta": noon + 10 * s}),
        event("early", Kind.STARTED, 9 * s),
        event("alien", Kind.SUCCEEDED, 9 * s),
    )
    listed = record.read(list_tasks, parse_filter(""), now=noon)
    times = {task.task_id: (task.wait_us, task.duration_us) for task in listed.items}
    assert times == {
        "plain": (2 * s, 3 * s),
        "later": (1 * s, 400_000),
        "early": (0, None),
        "alien": (None, None),
    }


def test_the_state_condition_agrees_with_the_state(shop: Any, noon: int) -> None:
    """`state_in` speaks of `ended_at` and `trouble`; for every row that must mean the state."""
    add_rows(shop, noon, 1)
    with shop.database.write() as connection:
        lost = update(tasks).where(tasks.c.task_id == "task-0").values(state="unknown")
        connection.execute(lost.values(ended_at=None))
    with shop.database.read() as connection:
        rows = connection.execute(select(tasks.c.state)).scalars().all()
        assert set(rows) == set(STATES)
        for state in STATES:
            where = task_filter.state_in((state,))
            matched = page(connection, where, after=None, is_ascending=True, limit=50)
            assert [task.state for task in matched] == [state] * rows.count(state)
