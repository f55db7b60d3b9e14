"""One task in full: its attempts come from its events, and agree with its row."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from z4j_brain.api.task_views import task_detail
from z4j_brain.store import events, tasks
from z4j_brain.store.events import EventRecord
from z4j_brain.store.schema import tasks as table
from z4j_brain.tasks.attempts import attempts_of
from z4j_brain.tasks.detail import TaskAction, read_task
from z4j_core.events import Kind, WireEvent
from z4j_core.fold import Details, join, row_of
from z4j_core.frames import ActionInfo, EngineInfo

S = 1_000_000
ALL = frozenset({"command.retry", "command.cancel", "command.custom"})


def life(event: Any, noon: int) -> list[WireEvent]:
    """Two attempts: the first one fails and is tried again five seconds later."""
    error = {"type": "TimeoutError", "message": "no answer"}
    return [
        event(
            "t", Kind.PUBLISHED, 0, data={"args": [1, 2.50], "kwargs": {"a": "b"}, "exact": True}
        ),
        event("t", Kind.RECEIVED, 1 * S),
        event("t", Kind.STARTED, 2 * S),
        event(
            "t",
            Kind.RETRIED,
            3 * S,
            data={"exception": error, "traceback": "Traceback 1", "retry_at": noon + 8 * S},
        ),
        event("t", Kind.PUBLISHED, 3 * S, attempt=1, data={"eta": noon + 8 * S}),
        event("t", Kind.RECEIVED, 4 * S, attempt=1),
        event("t", Kind.STARTED, 9 * S, attempt=1),
        event(
            "t",
            Kind.FAILED,
            10 * S,
            attempt=1,
            data={
                "exception": error,
                "traceback": "Traceback 2",
                "run_us": 900,
                "reason": "no",
            },
        ),
    ]


def test_attempts_in_any_order_of_events(record: Any, event: Any, noon: int) -> None:
    told = life(event, noon)
    random.Random(4).shuffle(told)
    for one in told:
        record.tell(one)
    found = record.read(read_task, "celery", "t", ALL)
    first, second = found.attempts
    assert (first.attempt, first.state, first.wait_us, first.run_us) == (0, "retrying", 2 * S, S)
    assert (first.traceback, first.retry_at, first.reason) == ("Traceback 1", noon + 8 * S, None)
    assert (first.ended_at, first.exception_type) == (noon + 3 * S, "TimeoutError")
    assert (second.attempt, second.state, second.wait_us, second.run_us) == (1, "failed", S, 900)
    assert (second.traceback, second.retry_at, second.reason) == ("Traceback 2", None, "no")
    assert (second.published_at, second.worker) == (noon + 3 * S, "w1")
    assert (found.task.wait_us, found.task.duration_us) == (S, 900)


def test_the_view_of_a_task(record: Any, event: Any, noon: int) -> None:
    record.tell(*life(event, noon))
    record.tell(
        event("new", Kind.PUBLISHED, 20 * S, data={"retried_from": "t"}),
        event("alien", Kind.PUBLISHED, 21 * S, engine="rq", data={"retried_from": "t"}),
    )
    shown = msgspec.json.decode(
        msgspec.json.encode(task_detail(record.read(read_task, "celery", "t", ALL)))
    )
    assert (shown["args"], shown["kwargs"], shown["exact"]) == ([1, 2.5], {"a": "b"}, True)
    assert shown["retried_as"] == ["new"]
    assert shown["traceback"] == "Traceback 2"
    assert shown["first_at"] == "2023-11-14T22:13:20.000000Z"
    assert [one["state"] for one in shown["attempts"]] == ["retrying", "failed"]
    assert shown["offset"] == 2


def test_recorded_json_is_shown_digit_by_digit(record: Any, event: Any) -> None:
    payload = b'{"args":[12345678901234567890,1.10],"result":1e2}'
    record.tell(event("t", Kind.SUCCEEDED, payload=payload))
    text = msgspec.json.encode(task_detail(record.read(read_task, "celery", "t", ALL)))
    assert b"12345678901234567890" in text


def test_a_result_that_is_no_json_is_a_string(record: Any, event: Any) -> None:

    record.tell(event("t", Kind.SUCCEEDED))
    with record.database.write() as connection:
        connection.execute(update(table).values(result='{"half', args="[1,2]"))
    shown = task_detail(record.read(read_task, "celery", "t", ALL))
    assert (shown.result, bytes(shown.args)) == ('{"half', b"[1,2]")


def test_unknown_tasks(record: Any, event: Any) -> None:
    record.tell(event("t", Kind.SUCCEEDED))
    assert record.read(read_task, "rq", "t", ALL) is None
    assert record.read(read_task, "celery", "T", ALL) is None


def test_payloads_that_surprise(record: Any, event: Any) -> None:
    record.tell(
        event("t", Kind.STARTED, 1, data={"run_us": "soon"}),
        event("t", Kind.FAILED, 2, data={"traceback": 5, "retry_at": "x", "exception": []}),
    )
    [attempt] = record.read(read_task, "celery", "t", ALL).attempts
    assert (attempt.state, attempt.traceback, attempt.exception_type) == ("failed", None, None)


def test_only_the_newest_events_are_read(record: Any, event: Any) -> None:
    record.tell(*(event("t", Kind.RETRIED, n, attempt=n) for n in range(30)))
    found = record.read(events.newest, "celery", "t", 10)
    assert [one.attempt for one in found] == list(range(20, 30))


def test_actions_say_why_not(record: Any, event: Any) -> None:
    engines = [
        EngineInfo(
            "celery",
            "5",
            [
                ActionInfo("retry", "task", states=["failed"]),
                ActionInfo("cancel", "task", states=["queued"]),
                ActionInfo("retry_edited", "task"),
                ActionInfo("terminate", absent="The pool cannot end one task."),
                ActionInfo("purge", "queue"),
            ],
        )
    ]
    record.change_worker(record.w1, engines=msgspec.to_builtins(engines))
    record.tell(event("t", Kind.FAILED))
    found = record.read(read_task, "celery", "t", ALL)
    assert found.actions == [
        TaskAction("cancel", False, "The task is failed; “cancel” is for tasks that are queued."),
        TaskAction("retry", True, None),
        TaskAction("retry_edited", False, "Your role lacks the permission command.retry_edited."),
        TaskAction("terminate", False, "The pool cannot end one task."),
    ]
    record.change_worker(record.w1, online=False)
    assert record.read(read_task, "celery", "t", ALL).actions == []


KINDS = st.sampled_from(list(Kind))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(KINDS, st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=8))
@example([(Kind.PUBLISHED, 1, 0), (Kind.UNKNOWN, 0, 0)])
@example([(Kind.UNKNOWN, 1, 0), (Kind.STARTED, 0, 1)])
def test_the_latest_attempt_agrees_with_the_fold(told: list[tuple[Kind, int, int]]) -> None:
    """The row of a task and its latest attempt are two readings of the same events."""
    records = [
        EventRecord(kind.value, attempt, at, 0, "w1", "q", "n", "{}") for kind, attempt, at in told
    ]
    row = None
    for kind, attempt, at in told:
        one = row_of(WireEvent(kind, "e", "t", attempt, at, "n", "q", b"{}"), Details(), "w1")
        if row is None:
            row = one
        else:
            join(row, one)
    assert row is not None
    found = attempts_of(records)
    last = found[-1]
    assert [one.attempt for one in found] == sorted({attempt for _, attempt, _ in told})
    assert (last.state, last.attempt, last.started_at) == (row.state, row.attempt, row.started_at)
    assert last.worker == row.worker
    expected = tasks.ran(None, row.started_at, row.ended_at)
    assert last.state == "retrying" or last.run_us == expected
