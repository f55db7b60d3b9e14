from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import pytest

from z4j_agent import dispatch
from z4j_agent.dispatch import Dispatcher, Executor, Outcome
from z4j_core.capability import ActionError, NoParams, Target, action
from z4j_core.frames import Command, TaskRef
from z4j_core.plugins import CancelResult, Engine, PurgeResult, RetryParams, RetryResult
from z4j_core.redaction import Redactor


class ScaleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    by: int
    name: str = "pool"


class ScaleResult(msgspec.Struct, frozen=True):
    size: int
    password: str


class Lamp(Engine):
    """An engine whose actions do what the tests need."""

    name: ClassVar[str] = "lamp"

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[str] = set()
        self.absent: dict[str, str] = {}

    def absences(self) -> dict[str, str]:
        return self.absent

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        self.gate.wait(60)
        self.threads.add(threading.current_thread().name)
        self.calls.append(("retry", task.task_id, params.queue))
        return RetryResult(task_id="new-1")

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        raise ActionError("The broker is not there; password=hunter2hunter2. Start it.")

    def terminate(self, task: TaskRef, params: NoParams) -> CancelResult:
        raise SystemExit(3)

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        self.calls.append(("purge", queue))
        return PurgeResult(deleted=4)

    @action(target=Target.WORKER, title="Scale")
    def scale(self, params: ScaleParams) -> ScaleResult:
        self.calls.append(("scale", params.by))
        return ScaleResult(size=params.by, password="hunter2")

    @action(target=Target.ENGINE, title="Explode")
    def explode(self, params: NoParams) -> None:
        raise RuntimeError("token=abcdefghijklmnop " + "x" * 5000)

    @action(target=Target.ENGINE, title="Flood")
    def flood(self, params: NoParams) -> list[str]:
        return [f"{number:064d}" for number in range(100_000)]

    @action(target=Target.ENGINE, title="Odd")
    def odd(self, params: NoParams) -> object:
        return object()

    def secret_method(self, params: NoParams) -> None:
        self.calls.append(("secret",))


def command(name: str, params: bytes = b"{}", **more: Any) -> Command:
    return Command(id=more.pop("id", "c1"), engine="lamp", action=name, params=params, **more)


@pytest.fixture
def lamp() -> Lamp:
    return Lamp()


@pytest.fixture
def run(lamp: Lamp) -> Callable[..., Outcome]:
    executor = Executor([lamp], Redactor())

    def go(name: str, params: bytes = b"{}", **more: Any) -> Outcome:
        return executor.run(command(name, params, **more), more.pop("clock_offset_us", 0))

    return go


TASK = TaskRef(task_id="t1")


def test_each_target_has_its_signature(lamp: Lamp, run: Callable[..., Outcome]) -> None:
    assert run("retry", b'{"queue":"slow"}', task=TASK).result == b'{"task_id":"new-1"}'
    assert run("purge", queue="email").result == b'{"deleted":4}'
    assert run("scale", b'{"by":2}').ok
    assert lamp.calls == [("retry", "t1", "slow"), ("purge", "email"), ("scale", 2)]


def test_a_result_is_redacted(run: Callable[..., Outcome]) -> None:
    outcome = run("scale", b'{"by":2}')
    assert b"hunter2" not in outcome.result
    assert msgspec.json.decode(outcome.result)["size"] == 2


@pytest.mark.parametrize(
    ("params", "hint"),
    [
        (b'{"by":"2"}', "Expected `int`"),
        (b"{}", "missing required field `by`"),
        (b'{"by":2,"extra":1}', "unknown field `extra`"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "not valid"),
        (b"nonsense", "not valid"),
        (b"[" * 100_000, "not valid"),
        (b'{"by":1e999}', "not valid"),
    ],
)
def test_hostile_params_never_reach_the_engine(
    lamp: Lamp, run: Callable[..., Outcome], params: bytes, hint: str
) -> None:
    outcome = run("scale", params)
    assert not outcome.ok
    assert hint in str(outcome.error)
    assert len(str(outcome.error)) < 500
    assert lamp.calls == []


@pytest.mark.parametrize(
    "name", ["secret_method", "__class__", "attach", "absences", "info", "retry_edited", "nope"]
)
def test_only_announced_actions_can_be_called(
    lamp: Lamp, run: Callable[..., Outcome], name: str
) -> None:
    outcome = run(name, task=TASK)
    assert not outcome.ok
    assert "has no action" in str(outcome.error)
    assert lamp.calls == []


def test_an_absent_action_is_refused_with_its_reason(
    lamp: Lamp, run: Callable[..., Outcome]
) -> None:
    lamp.absent = {"purge": "This broker cannot be purged."}
    assert run("purge", queue="q").error == "This broker cannot be purged."


def test_a_command_without_its_subject_is_refused(run: Callable[..., Outcome]) -> None:
    assert "names none" in str(run("retry").error)
    assert "names none" in str(run("purge").error)


def test_the_deadline_is_told_in_the_servers_time(lamp: Lamp) -> None:
    executor = Executor([lamp], Redactor())
    now = time.time_ns() // 1000
    late = command("purge", queue="q", deadline=now - 1_000_000)
    assert "deadline had passed" in str(executor.run(late, 0).error)
    assert executor.run(late, -60_000_000).ok  # our clock is a minute ahead
    early = command("purge", queue="q", deadline=now + 30_000_000)
    assert executor.run(early, 0).ok
    assert not executor.run(early, 60_000_000).ok


def test_the_words_of_an_action_error_are_shown_without_secrets(
    run: Callable[..., Outcome],
) -> None:
    outcome = run("cancel", task=TASK)
    assert not outcome.ok
    assert str(outcome.error).startswith("The broker is not there")
    assert "hunter2" not in str(outcome.error)


def test_a_defect_becomes_a_short_error_without_secrets(run: Callable[..., Outcome]) -> None:
    outcome = run("explode")
    assert str(outcome.error).startswith("RuntimeError: ")
    assert "abcdefghijklmnop" not in str(outcome.error)
    assert len(str(outcome.error)) <= dispatch.MAX_DEFECT


def test_an_action_that_exits_ends_neither_thread_nor_process(
    run: Callable[..., Outcome],
) -> None:
    assert str(run("terminate", task=TASK).error).startswith("SystemExit")


def test_results_are_bounded_and_always_storable(run: Callable[..., Outcome]) -> None:
    flood = run("flood")
    assert flood.ok
    assert len(flood.result) <= dispatch.MAX_RESULT_BYTES
    assert not run("odd").ok


class Bench:
    """A dispatcher whose driver is the test."""

    def __init__(self, lamp: Lamp) -> None:
        self.pushed: list[Outcome] = []
        self.acknowledged = 0
        self._arrived = threading.Condition()
        self.dispatcher = Dispatcher(
            Executor([lamp], Redactor()), self._push, lambda: self.acknowledged
        )
        self.dispatcher.on_driver = self._on_driver

    def _push(self, outcome: Outcome) -> int:
        self.pushed.append(outcome)
        return len(self.pushed)

    def _on_driver(self, function: Callable[[], None]) -> None:
        with self._arrived:
            function()
            self._arrived.notify_all()

    def wait(self, count: int) -> bool:
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self.pushed) >= count, 60)


@pytest.fixture
def bench(lamp: Lamp) -> Bench:
    return Bench(lamp)


def test_a_command_is_carried_out_once_however_often_it_comes(lamp: Lamp, bench: Bench) -> None:
    retry = command("retry", task=TASK)
    lamp.gate.clear()
    bench.dispatcher.submit(retry)
    bench.dispatcher.submit(retry)
    lamp.gate.set()
    assert bench.wait(1)
    bench.dispatcher.submit(retry)  # its result is still on its way: nothing to say
    assert len(bench.pushed) == 1
    bench.acknowledged = 1
    bench.dispatcher.submit(retry)  # the server asks again: the remembered answer
    assert bench.pushed == [bench.pushed[0]] * 2
    assert lamp.calls == [("retry", "t1", None)]
    assert lamp.threads == {"z4j-agent-lamp"}


def test_memory_of_results_is_bounded(
    lamp: Lamp, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_REMEMBERED", 3)
    for number in range(5):
        bench.dispatcher.submit(command("purge", queue="q", id=f"c{number}"))
    assert bench.wait(5)
    assert len(bench.dispatcher._remembered) == 3


def test_too_many_waiting_commands_are_refused_not_kept(
    lamp: Lamp, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_WAITING", 2)
    lamp.gate.clear()
    for number in range(3):
        bench.dispatcher.submit(command("retry", task=TASK, id=f"c{number}"))
    assert "too many commands" in str(bench.pushed[0].error)
    lamp.gate.set()
    assert bench.wait(3)
    assert [outcome.ok for outcome in bench.pushed] == [False, True, True]


def test_an_unknown_engine_is_refused_without_a_thread(bench: Bench) -> None:
    bench.dispatcher.submit(Command(id="c9", engine="other", action="retry", params=b"{}"))
    assert "no engine or scheduler 'other'" in str(bench.pushed[0].error)


def test_a_result_after_the_driver_ended_does_not_kill_the_engines_thread(
    lamp: Lamp, bench: Bench
) -> None:
    tried = threading.Event()

    def ended(function: Callable[[], None]) -> None:
        tried.set()
        raise RuntimeError("Event loop is closed")

    working = bench.dispatcher.on_driver
    bench.dispatcher.on_driver = ended
    bench.dispatcher.submit(command("purge", queue="q", id="lost"))
    assert tried.wait(60)
    bench.dispatcher.on_driver = working
    bench.dispatcher.submit(command("purge", queue="q", id="kept"))
    assert bench.wait(1)
    assert bench.pushed[-1].id == "kept"


def test_commands_are_left_while_the_server_acknowledges_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that sends commands for ever and takes no result must not fill the host's memory."""
    monkeypatch.setattr(dispatch, "MAX_UNTOLD", 3)
    for number in range(1_000):
        bench.dispatcher.submit(Command(f"c{number}", "other", "retry", b"{}"))
    assert [outcome.id for outcome in bench.pushed] == ["c0", "c1", "c2"]
    bench.acknowledged = 2
    bench.dispatcher.submit(Command("c500", "other", "retry", b"{}"))
    assert bench.pushed[-1].id == "c500"


def test_the_bytes_of_waiting_commands_are_bounded(
    lamp: Lamp, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "MAX_WAITING_BYTES", 1_000)
    lamp.gate.clear()
    large = TaskRef(task_id="t1", args="x" * 600)
    for number in range(3):
        bench.dispatcher.submit(command("retry", task=large, id=f"c{number}"))
    assert [outcome.id for outcome in bench.pushed] == ["c1", "c2"]
    assert "too many commands" in str(bench.pushed[0].error)
    lamp.gate.set()
    assert bench.wait(3)
    bench.dispatcher.submit(command("retry", task=large, id="c3"))
    assert bench.wait(4)
    assert bench.pushed[-1].ok
