from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest

from z4j_agent import greeting
from z4j_agent.greeting import Identity, hello
from z4j_core.capability import Target, action
from z4j_core.codec import MSGPACK
from z4j_core.frames import Hello
from z4j_core.plugins import Engine, Scheduler
from z4j_core.redaction import Redactor

NONCE = bytes(16)


class Told(Engine):
    """An engine that describes itself as it was told to."""

    name: ClassVar[str] = "told"

    def __init__(self, version: str, name: str = "told") -> None:
        self._version = version
        self.name = name  # type: ignore[misc]

    def version(self) -> str:
        return self._version


class Long(Told):
    """An engine whose action has a description over the limit."""

    @action(target=Target.ENGINE, title="Long", description="x" * 5000)
    def long(self, params: msgspec.Struct) -> None:
        """Do nothing."""


def of_this_process(**more: str) -> Identity:
    return Identity.of_this_process(more.get("role", "worker"), more.get("worker_name"))


def sent(frame: Hello) -> Hello:
    """Return the hello as the server decodes it, limits enforced."""
    decoded = MSGPACK.decode(MSGPACK.encode(frame))
    assert isinstance(decoded, Hello)
    return decoded


@pytest.mark.parametrize(
    "engine",
    [
        Told("1", name="Not A Name"),
        Told("\ud800"),
        Told("nul\0"),
        Told("v" * 256),
        Long("1"),
        Told(3),  # type: ignore[arg-type]
    ],
    ids=["name", "surrogate", "nul", "version", "description", "type"],
)
def test_an_engine_that_breaks_the_limits_does_not_break_the_hello(engine: Engine) -> None:
    frame = sent(hello(of_this_process(), NONCE, [engine, Told("2.0", name="good")]))
    assert [info.name for info in frame.engines] == ["good"]
    assert "cannot be announced" in frame.plugin_errors[0]


def test_engines_are_limited_in_number_and_size(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Told("1", name=f"e{number}") for number in range(20)]
    assert len(sent(hello(of_this_process(), NONCE, many)).engines) == greeting.MAX_ENGINES
    monkeypatch.setattr(greeting, "MAX_HELLO_BYTES", 1500)
    small = sent(hello(of_this_process(), NONCE, many))
    assert 0 < len(small.engines) < 16
    assert len(small.plugin_errors) == 20 - len(small.engines)


def test_problems_are_short_few_redacted_and_storable() -> None:
    problems = ["password=hunter2hunter2", "nul\0", "\ud800", "x" * 10_000] + ["more"] * 100
    frame = sent(hello(of_this_process(), NONCE, problems=problems, redactor=Redactor()))
    assert len(frame.plugin_errors) == greeting.MAX_ERRORS
    assert "hunter2" not in str(frame.plugin_errors)
    assert "\0" not in str(frame.plugin_errors)
    assert max(map(len, frame.plugin_errors)) == greeting.MAX_ERROR


def test_names_from_the_host_are_made_storable() -> None:
    identity = of_this_process(role="r" * 500, worker_name="w\0\ud800" + "x" * 500)
    frame = sent(hello(identity, NONCE, framework="f" * 500))
    assert len(frame.worker_id) == len(frame.role) == 255
    assert "\0" not in frame.worker_id


def test_every_incarnation_has_its_own_epoch() -> None:
    epochs = {of_this_process().epoch for _ in range(100)}
    assert len(epochs) == 100
    assert {len(epoch) for epoch in epochs} == {32}


class Elsewhere(Scheduler):
    """A scheduler whose schedules another process can read."""

    name: ClassVar[str] = "elsewhere"
    engine: ClassVar[str] = "told"

    def store(self) -> None:
        return None


def test_a_scheduler_without_a_store_is_not_announced_and_no_problem() -> None:
    told = hello(of_this_process(), NONCE, schedulers=[Elsewhere()])
    assert (told.schedulers, told.plugin_errors) == ([], [])
