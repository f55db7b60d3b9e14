from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from z4j_agent import relay, runtime
from z4j_agent.runtime import FILTER_FAILED, NOT_ENCODABLE, Agent
from z4j_agent.testing import LoopbackBrain, new_credential
from z4j_core.capability import NoParams
from z4j_core.events import Kind, TaskEvent
from z4j_core.frames import Command
from z4j_core.plugins import Engine, Framework, Host, PurgeResult, hook

Make = Callable[..., TaskEvent]
NewAgent = Callable[..., Agent]
NOWHERE = {"Z4J_URL": "http://127.0.0.1:9", "Z4J_TOKEN": new_credential().token()}


class Lamp(Engine):
    """An engine that remembers what was done with it."""

    name = "lamp"

    def __init__(self) -> None:
        self.hosts: list[Host] = []

    def attach(self, host: Host) -> None:
        self.hosts.append(host)

    def detach(self) -> None:
        self.hosts.pop()


class Candle(Lamp):
    """An engine that is imported late, and offers something."""

    name = "candle"

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        return PurgeResult(deleted=1)


class Broken(Engine):
    """An engine that fails wherever it can."""

    name = "broken"

    def attach(self, host: Host) -> None:
        raise RuntimeError("password=hunter2hunter2")

    def detach(self) -> None:
        raise RuntimeError("no")


class Boastful(Lamp):
    """An engine whose description breaks the limits of the protocol."""

    name = "Not A Name"


class Web(Framework):
    """A framework that is there."""

    name = "webby"

    def attach(self, host: Host) -> None:
        """Serve nothing."""

    def detach(self) -> None:
        """Nothing to undo."""


def giving(value: object) -> Any:
    @hook
    def z4j_engine(settings: Any) -> Any:
        return value

    return z4j_engine


def web(settings: Any) -> Framework:
    return Web()


def test_nothing_happens_without_a_url(
    new_agent: NewAgent, plugin: Callable[..., Any], event: Make
) -> None:
    lamp = Lamp()
    threads = set(threading.enumerate())
    agent = new_agent({}, [plugin("lamp", z4j_engine=giving(lamp))])
    agent.register()
    agent.start()
    agent.open_relay()
    agent.emit(event())
    agent.stop()
    assert lamp.hosts == []
    assert not set(threading.enumerate()) - threads
    assert agent._life.outbox.fill().events == 0


def test_a_mistyped_token_is_said_once_and_harms_nobody(
    new_agent: NewAgent, event: Make, caplog: pytest.LogCaptureFixture
) -> None:
    token = new_credential().token()
    agent = new_agent({"Z4J_URL": "http://localhost:1", "Z4J_TOKEN": token[:-1]})
    agent.start()
    agent.emit(event())
    agent.start()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "stays off" in record.getMessage()
    assert token[5:20] not in caplog.text


def test_the_log_level_is_set(new_agent: NewAgent) -> None:
    logger = logging.getLogger("z4j.agent")
    before = logger.level
    try:
        new_agent({**NOWHERE, "Z4J_LOG_LEVEL": "error"})
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(before)


def test_register_attaches_once_and_unregister_detaches(
    new_agent: NewAgent, plugin: Callable[..., Any]
) -> None:
    lamp = Lamp()
    agent = new_agent(NOWHERE, [plugin("lamp", z4j_engine=giving(lamp))])
    agent.register()
    agent.register()
    assert lamp.hosts == [agent]
    agent.unregister()
    assert lamp.hosts == []


def test_what_comes_into_use_later_is_attached_and_the_server_hears_of_it(
    brain: LoopbackBrain, new_agent: NewAgent, plugin: Callable[..., Any], event: Make
) -> None:
    lamp, candle = Lamp(), Candle()
    imported: list[Engine] = []

    @hook
    def z4j_engine(settings: Any) -> Any:
        return imported[0] if imported else None

    points = [plugin("lamp", z4j_engine=giving(lamp)), plugin("candle", z4j_engine=z4j_engine)]
    agent = new_agent(brain.environment(), points)
    agent.start("web")
    agent.emit(event(1))
    assert brain.wait_for(lambda: brain.events)
    imported.append(candle)
    agent.register()
    agent.emit(event(2))
    assert brain.wait_for(lambda: len(brain.hellos) == 2 and len(brain.events) == 2)
    assert brain.wait_for(lambda: brain.open_links == 1)
    first, second = brain.hellos
    assert (first.worker_id, first.epoch) == (second.worker_id, second.epoch)
    assert [engine.name for engine in second.engines] == ["lamp", "candle"]
    brain.command(Command(id="c", engine="candle", action="purge", params=b"{}", queue="wax"))
    assert brain.wait_for(lambda: brain.results)
    assert brain.results[0].ok
    agent.register()
    agent.stop(60)
    assert (lamp.hosts, candle.hosts, len(brain.hellos)) == ([agent], [agent], 2)


def test_plugins_that_cannot_be_looked_for_harm_nobody(
    new_agent: NewAgent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no such file: password=hunter2hunter2")

    monkeypatch.setattr(runtime, "PluginSet", fail)
    agent = new_agent(NOWHERE)
    agent.register()
    assert "cannot attach its plugins (OSError)" in caplog.text
    assert "hunter2" not in caplog.text


def test_plugins_can_be_chosen_and_disabled(
    new_agent: NewAgent, plugin: Callable[..., Any]
) -> None:
    lamps = {name: Lamp() for name in ("a", "b", "c")}
    points = [plugin(name, z4j_engine=giving(lamp)) for name, lamp in lamps.items()]
    new_agent({**NOWHERE, "Z4J_PLUGINS": "a b", "Z4J_DISABLE_PLUGINS": "b"}, points).register()
    assert [name for name, lamp in lamps.items() if lamp.hosts] == ["a"]


def test_bad_plugins_are_announced_and_harm_nobody(
    brain: LoopbackBrain,
    new_agent: NewAgent,
    plugin: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    lamp = Lamp()

    @hook
    def z4j_engine(settings: Any) -> Any:
        raise RuntimeError("x" * 10_000)

    def unloadable() -> Any:
        raise ImportError("no such module")

    bad = plugin("unloadable")
    bad.load = unloadable
    points = [
        bad,
        plugin("broken", z4j_engine=giving(Broken())),
        plugin("raising", z4j_engine=z4j_engine),
        plugin("wrong", z4j_engine=giving("not an engine")),
        plugin("boastful", z4j_engine=giving(Boastful())),
        plugin("lamp", z4j_engine=giving(lamp)),
        plugin("web", z4j_framework=hook(specname="z4j_framework")(web)),
    ]
    agent = new_agent(brain.environment(), points)
    agent.start()
    assert brain.wait_for(lambda: brain.hellos)
    hello = brain.hellos[0]
    assert [engine.name for engine in hello.engines] == ["lamp"]
    assert hello.framework == "webby"
    said = "\n".join(hello.plugin_errors)
    for name in ("unloadable", "broken", "raising", "wrong", "Not A Name"):
        assert name in said
    assert max(len(text) for text in hello.plugin_errors) <= 500
    assert "hunter2" not in said
    assert "hunter2" not in caplog.text


def test_emit_survives_whatever_it_is_given(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

    agent = new_agent(brain.environment())
    agent.start()
    loop: list[Any] = []
    loop.append(loop)
    agent.emit(event(1, args=[Hostile(), loop, float("nan"), "\ud800", object()]))
    agent.emit(event(2, payload={"x": b"\xff", 1: 2}))
    agent.emit(TaskEvent(kind=Kind.FAILED, engine="celery", task_id="\ud800", occurred_at=5))
    agent.emit(None)  # type: ignore[arg-type]
    agent.emit("nonsense")  # type: ignore[arg-type]
    agent.emit(TaskEvent(kind="odd", engine=3, task_id=None, occurred_at="x"))  # type: ignore[arg-type]
    agent.emit(event(3))
    assert brain.wait_for(lambda: any(e.task_id == "task-3" for e in brain.events))
    assert {e.task_id for e in brain.events} >= {"task-1", "task-2", "task-3"}
    assert brain.wait_for(lambda: sum(gap.count for gap in brain.gaps) == 4)
    assert {gap.reason for gap in brain.gaps} == {NOT_ENCODABLE}
    assert brain.link_errors == []


def test_what_changes_after_emit_does_not_change_the_event(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    arguments: list[Any] = ["before"]
    agent.emit(event(1, args=arguments))
    arguments[0] = "after"
    agent.start()
    assert brain.wait_for(lambda: brain.events)
    assert b"before" in brain.events[0].payload


def test_secrets_never_leave_and_plugins_have_a_say(
    brain: LoopbackBrain, new_agent: NewAgent, plugin: Callable[..., Any], event: Make
) -> None:
    @hook
    def z4j_redact(key: str) -> bool | None:
        return True if key == "iban" else None

    agent = new_agent(brain.environment(), [plugin("bank", z4j_redact=z4j_redact)])
    agent.start()
    agent.emit(event(1, kwargs={"iban": "DE00123", "password": "hunter2", "n": 5}))
    assert brain.wait_for(lambda: brain.events)
    payload = brain.events[0].payload
    assert b"DE00123" not in payload
    assert b"hunter2" not in payload
    assert b'"n":5' in payload


def test_filters_change_drop_and_fail_closed(
    brain: LoopbackBrain, new_agent: NewAgent, plugin: Callable[..., Any], event: Make
) -> None:
    @hook
    def z4j_event(event: TaskEvent) -> TaskEvent | None:
        if event.task_id == "task-1":
            return None
        if event.task_id == "task-2":
            raise KeyError("bad filter")
        return event

    agent = new_agent(brain.environment(), [plugin("filter", z4j_event=z4j_event)])
    agent.start()
    for number in range(4):
        agent.emit(event(number))
    assert brain.wait_for(lambda: len(brain.events) == 2)
    assert [e.task_id for e in brain.events] == ["task-0", "task-3"]
    assert brain.wait_for(lambda: brain.gaps)
    assert [(gap.reason, gap.count) for gap in brain.gaps] == [(FILTER_FAILED, 1)]


def test_the_worker_id_is_the_given_name_or_made(brain: LoopbackBrain, new_agent: NewAgent) -> None:
    new_agent(brain.environment()).start("web")
    new_agent(brain.environment()).start("worker", "celery@host")
    assert brain.wait_for(lambda: len(brain.hellos) == 2)
    by_role = {hello.role: hello for hello in brain.hellos}
    web_hello = by_role["web"]
    assert web_hello.worker_id == f"{web_hello.host}:web:{web_hello.pid}"
    assert by_role["worker"].worker_id == "celery@host"
    assert by_role["worker"].epoch != web_hello.epoch


def test_a_publisher_that_becomes_a_worker_connects_anew_and_loses_nothing(
    brain: LoopbackBrain, new_agent: NewAgent, event: Make
) -> None:
    agent = new_agent(brain.environment())
    agent.ensure_started("publisher")
    agent.emit(event(1))
    agent.ensure_started("publisher")
    agent.ensure_started("worker", "celery@host")
    agent.emit(event(2))
    agent.ensure_started("web")
    agent.emit(event(3))
    assert brain.wait_for(lambda: len(brain.events) == 3)
    assert brain.wait_for(lambda: len(brain.goodbyes) == 1)
    assert {hello.role for hello in brain.hellos} == {"publisher", "worker"}
    assert len({hello.epoch for hello in brain.hellos}) == 2


def test_start_from_many_threads_starts_one(brain: LoopbackBrain, new_agent: NewAgent) -> None:
    agent = new_agent(brain.environment())
    threads = [threading.Thread(target=agent.start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert brain.wait_for(lambda: brain.heartbeats)
    time.sleep(0.1)
    assert len(brain.hellos) == 1


def test_a_start_that_fails_harms_nobody(
    new_agent: NewAgent,
    event: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    agent = new_agent(NOWHERE)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    agent.start()
    agent.emit(event())
    assert "cannot start" in caplog.text


def test_a_relay_that_cannot_be_opened_harms_nobody(
    new_agent: NewAgent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_pair() -> Any:
        raise OSError("too many open files")

    monkeypatch.setattr(relay, "open_pair", no_pair)
    new_agent(NOWHERE).open_relay()
    assert "cannot hand over" in caplog.text
