"""Waits that compare two clocks: corrected where both are known, marked where they mislead."""

from __future__ import annotations

from typing import Any

from z4j_brain.api.task_views import task_detail, task_summary
from z4j_brain.filters import parse_filter
from z4j_brain.store import task_filter, tasks
from z4j_brain.tasks.detail import read_task
from z4j_core.events import Kind

S = 1_000_000
HOUR = 3_600 * S


def detail(record: Any) -> Any:
    with record.database.read() as connection:
        found = read_task(connection, record.project_id, "celery", "t", frozenset())
    assert found is not None
    return task_detail(found)


def listed(record: Any, noon: int) -> Any:
    with record.database.read() as connection:
        where = task_filter.where(connection, record.project_id, parse_filter(""), noon)
        [task] = tasks.page(connection, where, after=None, is_ascending=False, limit=9)
    return task_summary(task)


def tell(record: Any, event: Any, *, skew: int) -> Any:
    """A task that waited for two seconds, as told by a worker whose clock is off."""
    publisher = record.add_worker("web")
    record.tell(event("t", Kind.PUBLISHED, 0), worker=publisher)
    record.tell(event("t", Kind.STARTED, 2 * S + skew))
    return publisher


def test_both_clocks_known_the_wait_is_corrected_and_the_times_stay(
    record: Any, event: Any, noon: int
) -> None:
    publisher = tell(record, event, skew=HOUR)
    record.change_worker(publisher, clock_offset_us=-S)
    record.change_worker(record.w1, clock_offset_us=HOUR)
    found = detail(record)
    assert (found.wait_ms, found.wait_doubtful) == (1_000, False)
    assert found.attempts[0].wait_ms == 1_000
    assert found.started_at == "2023-11-14T23:13:22.000000Z", "as told"
    assert (listed(record, noon).wait_ms, listed(record, noon).wait_doubtful) == (3_602_000, True)


def test_a_start_before_its_publishing_is_doubtful(record: Any, event: Any, noon: int) -> None:
    tell(record, event, skew=-HOUR)
    for found in (detail(record), listed(record, noon)):
        assert (found.wait_ms, found.wait_doubtful) == (0, True)


def test_one_clock_that_is_wrong_makes_it_doubtful(record: Any, event: Any, noon: int) -> None:
    tell(record, event, skew=0)
    for offset, is_doubtful in ((1_900_000, False), (-2_100_000, True)):
        record.change_worker(record.w1, clock_offset_us=offset)
        for found in (detail(record), listed(record, noon)):
            assert (found.wait_ms, found.wait_doubtful) == (2_000, is_doubtful)
