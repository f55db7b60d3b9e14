"""The driver against a real WebSocket server that speaks the real protocol, and against others."""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from z4j_agent import connection
from z4j_agent.backlog import FULL
from z4j_agent.runtime import Agent
from z4j_agent.testing import LoopbackBrain, new_credential
from z4j_core.events import Kind, TaskEvent
from z4j_core.frames import Command, TaskRef
from z4j_core.plugins import Engine, Host, RetryParams, RetryResult, hook

Make = Callable[..., TaskEvent]
NewAgent = Callable[..., Agent]


def ids(brain: LoopbackBrain) -> Counter[str]:
    return Counter(event.task_id for event in brain.events)


def test_events_arrive_once_and_in_order(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    for number in range(1000):
        agent.emit(event(number, args=[number]))
    assert brain.wait_for(lambda: len(brain.events) == 1000)
    assert [e.task_id for e in brain.events] == [f"task-{n}" for n in range(1000)]
    assert brain.events[7].payload == b'{"args":[7],"exact":true}'
    assert max(brain.batches) <= 200
    assert brain.link_errors == []


def test_the_first_frame_after_the_welcome_is_a_heartbeat(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.emit(event(1, Kind.SUCCEEDED))
    agent.start("worker", "w1")
    assert brain.wait_for(lambda: brain.events)
    beat = brain.heartbeats[0]
    assert beat.processed == 0, "counted when it is sent"
    assert beat.outbox_events == 1
    assert beat.rss_bytes > 1_000_000
    assert beat.cpu_us > 0
    (hello,) = brain.hellos
    assert (hello.worker_id, hello.role, len(hello.epoch)) == ("w1", "worker", 32)


def test_heartbeats_go_on_while_events_flow(
    brain: LoopbackBrain, new_agent: NewAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TICK_S", 0.02)
    monkeypatch.setattr("z4j_core.link.link.HEARTBEAT_S", 0)
    new_agent(brain.environment()).start()
    assert brain.wait_for(lambda: len(brain.heartbeats) >= 3)


def test_nothing_is_lost_or_doubled_when_the_connection_is_cut(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    assert brain.wait_for(lambda: brain.heartbeats)  # else there may be nothing yet to cut
    draw = random.Random(7)
    for number in range(3000):
        agent.emit(event(number))
        if number % 500 == 250:
            brain.cut()
        if number % 100 == 0:
            time.sleep(draw.uniform(0, 0.02))
    assert brain.wait_for(lambda: len(brain.events) >= 3000)
    agent.stop(60)
    assert ids(brain) == Counter({f"task-{n}": 1 for n in range(3000)})
    assert len(brain.hellos) > 1
    assert len({hello.epoch for hello in brain.hellos}) == 1
    assert brain.gaps == []


def test_what_was_committed_but_not_acknowledged_is_not_sent_again(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    brain.is_acknowledging = False
    agent.emit(event(1))
    assert brain.wait_for(lambda: len(brain.events) == 1)
    brain.is_acknowledging = True
    brain.cut()
    agent.emit(event(2))
    assert brain.wait_for(lambda: len(brain.events) == 2)
    agent.stop(60)
    assert ids(brain) == {"task-1": 1, "task-2": 1}
    assert brain.wait_for(lambda: brain.goodbyes)


def test_a_server_that_restarts_gets_everything_once(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    agent.emit(event(0))
    assert brain.wait_for(lambda: len(brain.events) == 1)
    brain.stop()
    for number in range(1, 500):
        agent.emit(event(number))
    brain.start()
    assert brain.wait_for(lambda: len(brain.events) >= 500)
    assert set(ids(brain).values()) == {1}


def test_a_window_that_is_full_holds_the_rest_back_and_goes_on(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    brain.is_acknowledging = False
    agent = new_agent(brain.environment())
    agent.start("worker", "w1")
    for number in range(10_000):
        agent.emit(event(number))
    assert brain.wait_for(lambda: len(brain.batches) == 32)
    brain.is_acknowledging = True
    brain.cut()  # the welcome tells what was committed
    assert brain.wait_for(lambda: len(brain.events) >= 10_000)
    assert set(ids(brain).values()) == {1}


def test_the_hole_is_told_when_memory_was_full(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment(Z4J_OUTBOX_BYTES=str(1024 * 1024)))
    for number in range(6000):
        agent.emit(event(number, Kind.FAILED if number % 100 == 0 else Kind.STARTED))
    agent.start("worker", "w1")
    assert brain.wait_for(lambda: brain.events and brain.events[-1].task_id == "task-5999")
    lost = sum(gap.count for gap in brain.gaps)
    assert lost > 0
    assert len(brain.events) + lost == 6000
    assert {gap.reason for gap in brain.gaps} == {FULL}
    assert sum(e.kind is Kind.FAILED for e in brain.events) == 60
    assert brain.heartbeats[0].dropped == lost


def test_a_clock_that_is_off_is_measured(brain: LoopbackBrain, new_agent: NewAgent) -> None:
    brain.clock_offset_us = 3_600_000_000
    agent = new_agent(brain.environment())
    agent.start()
    assert brain.wait_for(lambda: brain.heartbeats)
    dispatcher = agent._life._dispatcher
    assert dispatcher is not None
    assert brain.wait_for(lambda: abs(dispatcher.clock_offset_us - 3_600_000_000) < 60_000_000)


class Lamp(Engine):
    """An engine with one action."""

    name = "lamp"

    def __init__(self) -> None:
        self.retried: list[str] = []

    def attach(self, host: Host) -> None:
        """Capture nothing."""

    def detach(self) -> None:
        """Nothing to undo."""

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        self.retried.append(task.task_id)
        return RetryResult(task_id=f"again-{task.task_id}")


@pytest.fixture
def lamp(plugin: Callable[..., Any]) -> tuple[Lamp, Any]:
    engine = Lamp()

    @hook
    def z4j_engine(settings: Any) -> Engine:
        return engine

    return engine, plugin("lamp", z4j_engine=z4j_engine)


def retry(number: int) -> Command:
    task = TaskRef(task_id=f"t{number}")
    return Command(id=f"c{number}", engine="lamp", action="retry", params=b"{}", task=task)


def test_a_command_is_answered_and_its_action_was_announced(
    brain: LoopbackBrain, new_agent: NewAgent, lamp: tuple[Lamp, Any]
) -> None:
    new_agent(brain.environment(), [lamp[1]]).start()
    assert brain.wait_for(lambda: brain.heartbeats)
    offered = {action.name: action for action in brain.hellos[0].engines[0].actions}
    assert offered["retry"].absent is None
    assert offered["purge"].absent is not None
    brain.command(retry(1))
    brain.command(retry(1))
    assert brain.wait_for(lambda: brain.results)
    assert brain.results[0].result == b'{"task_id":"again-t1"}'
    assert lamp[0].retried == ["t1"]


def test_a_server_that_died_before_the_result_gets_it_on_reconnect(
    brain: LoopbackBrain, new_agent: NewAgent, lamp: tuple[Lamp, Any]
) -> None:
    engine, point = lamp
    begun, gate = threading.Event(), threading.Event()
    original = engine.retry

    def slow(task: TaskRef, params: RetryParams) -> RetryResult:
        begun.set()
        gate.wait(60)
        return original(task, params)

    engine.retry = slow  # type: ignore[method-assign]
    new_agent(brain.environment(), [point]).start()
    assert brain.wait_for(lambda: brain.heartbeats)
    brain.command(retry(1))
    assert begun.wait(60)
    brain.stop()
    gate.set()
    brain.start()
    assert brain.wait_for(lambda: brain.results)
    brain.command(retry(1))  # sent again, because this server has not recorded the result
    assert brain.wait_for(lambda: len(brain.results) == 2)
    assert engine.retried == ["t1"]
    assert brain.results[0].result == brain.results[1].result


def test_a_goodbye_with_a_time_to_come_back_is_honoured(
    brain: LoopbackBrain, new_agent: NewAgent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "z4j.agent")
    new_agent(brain.environment()).start()
    assert brain.wait_for(lambda: brain.heartbeats)
    brain.goodbye("restarting", "The server restarts.\nSecond line.", 0.05)
    assert brain.wait_for(lambda: len(brain.hellos) == 2)
    assert "No link to z4j: The server restarts. Second line." in caplog.text


def test_commands_are_not_begun_while_stopping(
    brain: LoopbackBrain, new_agent: NewAgent, lamp: tuple[Lamp, Any], event: Make
) -> None:
    brain.is_acknowledging = False
    agent = new_agent(brain.environment(), [lamp[1]])
    agent.start()
    agent.emit(event(1))
    assert brain.wait_for(lambda: brain.events)
    driver = agent._life._driver
    assert driver is not None
    stopper = threading.Thread(target=agent.stop, args=(1.0,))
    stopper.start()
    wait_until(lambda: driver._stopping.is_set)
    brain.command(retry(1))
    stopper.join(60)
    assert lamp[0].retried == []


@pytest.mark.parametrize("status", [401, 403, 404, 426, 429, 500, 503, 302])
def test_each_refusal_is_logged_once_with_what_to_do(
    brain: LoopbackBrain,
    new_agent: NewAgent,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    brain.refuse_with = status
    waits: list[tuple[float, float]] = []

    def hurried(self: object, bounds: tuple[float, float]) -> float:
        waits.append(bounds)
        return 0.01

    monkeypatch.setattr("z4j_core.link.backoff.BackOff.failed", hurried)
    new_agent(brain.environment()).start()
    assert brain.wait_for(lambda: len(waits) >= 3)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert str(status) in said[0] or status in (426, 429, 302)
    assert brain.credential.token() not in caplog.text
    assert brain.credential.bearer() not in caplog.text
    expected = (1.0, 60.0) if status >= 500 else (10.0, 600.0)
    assert set(waits) == {expected}


def test_a_wrong_signing_key_is_told_apart_from_a_wrong_token(
    brain: LoopbackBrain, new_agent: NewAgent, caplog: pytest.LogCaptureFixture
) -> None:
    real = brain.credential
    forged = type(real)(real.agent_id, real.secret, b"x" * 32, real.seal_key)
    new_agent(brain.environment() | {"Z4J_TOKEN": forged.token()}).start()
    assert brain.wait_for(lambda: "The signature does not fit" in caplog.text)


def test_unsigned_messages_end_the_link_and_the_agent_comes_back(
    brain: LoopbackBrain,
    new_agent: NewAgent,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    event: Make,
) -> None:
    monkeypatch.setattr("z4j_core.link.backoff.BackOff.failed", lambda self, bounds: 0.01)
    agent = new_agent(brain.environment())
    agent.start()
    messages: list[bytes | str] = [b"garbage", b"\x00" * 500, "text", b""]
    for number, garbage in enumerate(messages, 1):
        assert brain.wait_for(lambda: brain.open_links == 1)
        known = len(brain.hellos)
        brain.say_raw(garbage)
        wait_until(lambda known=known: len(brain.hellos) > known)  # type: ignore[misc]
        agent.emit(event(number))
    assert brain.wait_for(lambda: len(brain.events) == 4)
    assert set(ids(brain).values()) == {1}
    assert "The signature does not fit" in caplog.text
    assert "binary frames" in caplog.text


@contextmanager
def tcp_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with each connection whatever `answer` does."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            taken.append(peer)
            try:
                answer(peer)
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)
        for peer in taken:
            peer.close()


def close_after(data: bytes) -> Callable[[socket.socket], None]:
    def answer(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(data)
        peer.close()

    return answer


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda peer: None, None),  # a black hole
        (close_after(b""), "does not speak HTTP"),
        (close_after(b"\x16\x03\x01garbage\xff\n"), "does not speak HTTP"),
        (close_after(b"220 mail.example.com ESMTP\r\n"), "does not speak HTTP"),
        (close_after(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), "answered HTTP 200"),
        (close_after(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "not as a WebSocket server"),
        (close_after(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 9000), "does not speak HTTP"),
    ],
    ids=["black-hole", "closes", "tls", "smtp", "plain-http", "half-upgrade", "huge-header"],
)
def test_the_host_ends_whatever_answers(
    new_agent: NewAgent,
    event: Make,
    caplog: pytest.LogCaptureFixture,
    answer: Callable[[socket.socket], None],
    hint: str | None,
) -> None:
    with tcp_server(answer) as url:
        agent = new_agent({"Z4J_URL": url, "Z4J_TOKEN": new_credential().token()})
        agent.start()
        agent.emit(event(1))
        if hint is not None:
            wait_until(lambda: hint in caplog.text)
        stopper = threading.Thread(target=agent.stop, args=(0.3,))
        stopper.start()
        stopper.join(60)
        assert not stopper.is_alive()
        wait_until_no_agent_is_left()


def wait_until_no_agent_is_left() -> None:
    """`stop` waits only half a second longer than it was told to; the thread ends by itself."""
    wait_until(lambda: not any(one.name == "z4j-agent" for one in threading.enumerate()))


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_host_ends_when_nothing_listens(
    new_agent: NewAgent, event: Make, caplog: pytest.LogCaptureFixture, dead_port: int
) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    environment = {"Z4J_URL": url, "Z4J_TOKEN": new_credential().token()}
    agent = new_agent(environment)
    agent.start()
    agent.emit(event(1))
    wait_until(lambda: "Nothing listens at" in caplog.text)
    agent.stop(0.3)
    agent.stop(0.3)
    wait_until_no_agent_is_left()


def test_a_process_that_ends_at_once_still_delivers(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start("publisher")
    agent.emit(event(1))
    agent.stop(60)
    assert len(brain.events) == 1
    assert brain.wait_for(lambda: brain.goodbyes)


def test_a_server_that_comes_back_within_the_bound_gets_the_rest(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.start()
    assert brain.wait_for(lambda: brain.heartbeats)
    brain.stop()
    agent.emit(event(1))
    stopper = threading.Thread(target=agent.stop, args=(30.0,))
    stopper.start()
    time.sleep(0.7)
    assert stopper.is_alive()
    brain.start()
    stopper.join(60)
    assert ids(brain) == {"task-1": 1}


def test_a_refused_process_does_not_wait_for_the_bound(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    brain.refuse_with = 401
    agent = new_agent(brain.environment())
    agent.start()
    agent.emit(event(1))
    stopper = threading.Thread(target=agent.stop, args=(300.0,))
    stopper.start()
    stopper.join(60)
    assert not stopper.is_alive()


def test_after_a_stop_the_same_incarnation_can_go_on(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    for number in range(3):
        agent.start()
        agent.emit(event(number))
        agent.stop(60)
        agent.emit(event(100))  # ignored: stopped
    assert ids(brain) == {"task-0": 1, "task-1": 1, "task-2": 1}
    assert len({hello.epoch for hello in brain.hellos}) == 1
