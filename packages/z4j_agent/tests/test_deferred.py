"""Facts that are told a moment later: in their order, each once, and never left lying."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

import pytest

from z4j_agent.deferred import IN_A_ROW, Deferred
from z4j_agent.guard import LOGGED_FAILURES
from z4j_agent.runtime import Agent
from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind, TaskEvent


@pytest.fixture
def deferred() -> Deferred:
    """One that somebody comes to tell."""
    deferred = Deferred()
    deferred.limit = IN_A_ROW
    return deferred


def test_nothing_waits_where_nobody_comes() -> None:
    told: list[int] = []
    Deferred().add(told.append, (1,))
    assert told == [1]


def test_a_full_row_is_told_by_who_fills_it(deferred: Deferred) -> None:
    told: list[int] = []
    for number in range(IN_A_ROW - 1):
        deferred.add(told.append, (number,))
    assert told == []
    deferred.add(told.append, (IN_A_ROW - 1,))
    assert told == list(range(IN_A_ROW))


def test_who_waits_is_woken_once(deferred: Deferred) -> None:
    woken: list[str] = []
    assert deferred.wait(lambda: woken.append("awake"))
    for _ in range(3):
        deferred.add(print, ())
    assert woken == ["awake"]
    assert not deferred.wait(lambda: woken.append("again")), "something waits already"
    deferred.add(print, ())
    assert woken == ["awake"]


def test_what_fails_is_logged_and_the_next_is_told(
    deferred: Deferred, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []
    for number in range(LOGGED_FAILURES + 5):
        deferred.add(int, ("no number",))
        deferred.add(told.append, (number,))
    with caplog.at_level(logging.ERROR, "z4j.agent"):
        deferred.catch_up()
    assert told == list(range(LOGGED_FAILURES + 5))
    assert len(caplog.records) == LOGGED_FAILURES


def test_a_fact_may_make_somebody_catch_up(deferred: Deferred) -> None:
    told: list[str] = []

    def first() -> None:
        deferred.catch_up()
        told.append("first")

    deferred.add(first, ())
    deferred.add(told.append, ("second",))
    deferred.catch_up()
    assert sorted(told) == ["first", "second"]


def test_who_catches_up_waits_for_another_that_is_at_it(deferred: Deferred) -> None:
    begun, released = threading.Event(), threading.Event()
    told: list[str] = []

    def slow() -> None:
        begun.set()
        released.wait(60)
        told.append("slow")

    deferred.add(slow, ())
    thread = threading.Thread(target=deferred.catch_up)
    thread.start()
    assert begun.wait(60)
    deferred.catch_up(is_patient=False)
    assert told == []
    threading.Timer(0.05, released.set).start()
    deferred.catch_up()
    assert told == ["slow"]
    thread.join(60)


@pytest.mark.parametrize("limit", [1, IN_A_ROW])
def test_many_threads_lose_nothing_and_tell_nothing_twice(limit: int) -> None:
    deferred, told = Deferred(), list[tuple[int, int]]()
    deferred.limit = limit

    def add(who: int) -> None:
        for number in range(2_000):
            deferred.add(told.append, ((who, number),))

    threads = [threading.Thread(target=add, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) > 4 * 2_000 - limit, "less than a row may be left"
    deferred.catch_up()
    for who in range(4):
        assert [number for teller, number in told if teller == who] == list(range(2_000))


def emitting(agent: Agent) -> Callable[[int], None]:
    def tell(number: int) -> None:
        agent.emit(
            TaskEvent(kind=Kind.STARTED, engine="shop", task_id=f"t{number}", occurred_at=number)
        )

    return tell


@pytest.fixture
def started(brain: LoopbackBrain, new_agent: Callable[..., Agent]) -> Agent:
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    assert brain.wait_for(lambda: brain.heartbeats)
    return agent


def test_a_lone_fact_arrives_by_itself(brain: LoopbackBrain, started: Agent) -> None:
    for number in (1, 2):
        started.defer(emitting(started), number)
        assert brain.wait_for(lambda: len(brain.events) == number)  # noqa: B023 - called at once


def test_what_waits_at_the_end_is_sent(brain: LoopbackBrain, started: Agent) -> None:
    for number in range(10):
        started.defer(emitting(started), number)
    started.stop(60)
    assert [event.task_id for event in brain.events] == [f"t{number}" for number in range(10)]
    started.defer(emitting(started), 11)
    assert len(brain.events) == 10, "as `emit` after the end"


def test_a_child_tells_nothing_of_its_parent(brain: LoopbackBrain, started: Agent) -> None:
    told: list[int] = []
    started._life.deferred.limit = IN_A_ROW * 10  # the parent is slow
    for number in range(IN_A_ROW):
        started._life.deferred._waiting.append((told.append, (number,)))
    child = os.fork()
    if child == 0:
        started.defer(told.append, -1)
        started.catch_up()
        os._exit(0 if told == [-1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    started.catch_up()
    assert told == list(range(IN_A_ROW))
