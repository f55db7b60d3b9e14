"""Really forked processes, each with its own idea of who it is."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from z4j_agent import runtime
from z4j_agent.runtime import Agent
from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind, TaskEvent

Make = Callable[..., TaskEvent]
NewAgent = Callable[..., Agent]
InChild = Callable[[Callable[[], None]], int]


def ids(brain: LoopbackBrain) -> Counter[str]:
    return Counter(event.task_id for event in brain.events)


def test_children_hand_their_events_to_the_parent(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.open_relay()
    agent.emit(event(0))

    def before_the_link() -> None:
        agent.ensure_started("worker", "child")  # a child does not start a link of its own
        for number in range(1, 50):
            agent.emit(event(number))
        agent.stop()

    assert in_child(before_the_link) == 0
    agent.start("worker", "celery@host")

    def beside_the_link() -> None:
        for number in range(50, 100):
            agent.emit(event(number))

    assert in_child(beside_the_link) == 0
    assert brain.wait_for(lambda: len(brain.events) == 100)
    assert ids(brain) == Counter({f"task-{n}": 1 for n in range(100)})
    assert [hello.worker_id for hello in brain.hellos] == ["celery@host"]
    assert brain.open_links == 1


def test_a_child_of_a_child_uses_the_same_relay(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.open_relay()
    agent.start()

    def child() -> None:
        agent.emit(event(1))
        assert in_child(lambda: agent.emit(event(2))) == 0

    assert in_child(child) == 0
    assert brain.wait_for(lambda: len(brain.events) == 2)


def test_what_children_sent_last_is_read_before_the_parent_stops(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.open_relay()

    def child() -> None:
        for number in range(700):
            agent.emit(event(number))

    assert in_child(child) == 0
    agent.start()
    agent.stop(60)
    assert len(brain.events) == 700


def test_after_the_parents_stop_children_do_not_wait(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.open_relay()
    agent.start()
    ready, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(ready[1], b"1")
            os.read(go[0], 1)
            agent.emit(event(1))
            writer = agent._life.writer
            os._exit(0 if writer is not None and writer.dropped == 1 else 1)
        finally:
            os._exit(2)
    os.read(ready[0], 1)
    agent.stop(60)
    os.write(go[1], b"1")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    for descriptor in (*ready, *go):
        os.close(descriptor)


def test_the_relay_goes_along_when_a_publisher_becomes_a_worker(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.ensure_started("publisher")
    agent.open_relay()
    agent.ensure_started("worker", "w")
    assert in_child(lambda: agent.emit(event(1))) == 0
    assert brain.wait_for(lambda: len(brain.events) == 1)


def test_without_a_relay_a_child_has_a_link_of_its_own(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.start("web", "parent")
    agent.emit(event(0))
    assert brain.wait_for(lambda: len(brain.events) == 1)
    brain.is_acknowledging = False
    agent.emit(event(1))
    assert brain.wait_for(lambda: len(brain.events) == 2)
    brain.is_acknowledging = True

    def child() -> None:
        agent.emit(event(2))  # the first event starts it, as the parent was started
        agent.stop(60)

    assert in_child(child) == 0
    agent.emit(event(3))
    assert brain.wait_for(lambda: len(brain.events) == 4)
    assert ids(brain) == {"task-0": 1, "task-1": 1, "task-2": 1, "task-3": 1}
    parent, child_hello = brain.hellos
    assert parent.worker_id == "parent"
    assert child_hello.worker_id == f"{child_hello.host}:web:{child_hello.pid}"
    assert child_hello.pid != parent.pid
    assert child_hello.epoch != parent.epoch
    assert brain.wait_for(lambda: brain.open_links == 1)


def test_a_fork_that_calls_no_hooks_is_noticed_at_the_next_call(
    brain: LoopbackBrain,
    new_agent: NewAgent,
    event: Make,
    in_child: InChild,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As uWSGI forks: `os.register_at_fork` is not honoured."""
    monkeypatch.setattr(runtime, "_agents", [])
    agent = new_agent(brain.environment())
    monkeypatch.setattr(runtime, "_agents", [])
    agent.start("web", "parent")
    assert brain.wait_for(lambda: brain.heartbeats)

    def child() -> None:
        agent.emit(event(7))
        agent.stop(60)

    assert in_child(child) == 0
    assert brain.wait_for(lambda: ids(brain) == {"task-7": 1})
    assert len({hello.pid for hello in brain.hellos}) == 2


def test_a_child_that_was_not_started_stays_silent(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.register()  # as in a master that preloads the application

    def child() -> None:
        agent.emit(event(1))
        assert not agent._life.is_running
        agent.ensure_started("web")
        agent.stop(60)

    assert in_child(child) == 0
    assert brain.wait_for(lambda: len(brain.events) == 1)


def test_the_parents_exit_handler_does_nothing_in_a_child(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    agent.start("web", "parent")
    assert brain.wait_for(lambda: brain.heartbeats)
    assert in_child(agent.stop) == 0
    agent.emit(event(1))
    assert brain.wait_for(lambda: brain.events)
    assert brain.goodbyes == []


def test_a_child_gives_up_the_parents_connection(
    brain: LoopbackBrain, new_agent: NewAgent, in_child: InChild
) -> None:
    """Else the server would not notice the end of the parent while a child lives."""
    agent = new_agent(brain.environment())
    agent.start("web", "parent")
    assert brain.wait_for(lambda: brain.heartbeats)
    driver = agent._life._driver
    assert driver is not None
    descriptors = driver.descriptors()
    assert len(descriptors) == 2

    def child() -> None:
        for descriptor in descriptors:
            assert os.path.samestat(os.fstat(descriptor), Path(os.devnull).stat())

    assert in_child(child) == 0
    [connected] = [one for one in descriptors if stat.S_ISSOCK(os.fstat(one).st_mode)]
    with socket.socket(fileno=os.dup(connected)) as still_ours:
        assert still_ours.getpeername()[1] == brain.port


def test_events_that_wait_in_the_parent_are_not_sent_by_the_child(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, in_child: InChild
) -> None:
    agent = new_agent(brain.environment())
    for number in range(20):
        agent.emit(event(number, Kind.FAILED))

    def child() -> None:
        agent.start("web")
        agent.stop(60)

    assert in_child(child) == 0
    assert brain.events == []
    agent.start("web")
    assert brain.wait_for(lambda: len(brain.events) == 20)
    time.sleep(0.05)
    assert set(ids(brain).values()) == {1}
