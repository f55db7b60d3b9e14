"""Real agents against a real WebSocket server on the loopback."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from z4j_agent import driver
from z4j_agent.runtime import Agent
from z4j_agent.settings import Settings
from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind, TaskEvent


class HastyRandom(random.Random):
    """Draws near the lower bound, so that a test does not wait for the back-off."""

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * 0.02


@pytest.fixture(autouse=True)
def hasty_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SystemRandom", HastyRandom)


@pytest.fixture(autouse=True)
def spool_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test leaves a spool in the home of whoever runs it."""
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool-of-the-environment"))


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as server:
        yield server


@pytest.fixture
def new_agent() -> Iterator[Callable[..., Agent]]:
    """Make agents that are stopped and detached after the test."""
    made: list[Agent] = []

    def make(environment: dict[str, str], points: Iterable[Any] = ()) -> Agent:
        agent = Agent(Settings.from_environment(environment), list(points))
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.stop(0.5)
        agent.unregister()
    # `stop` waits only so long; a thread that outlives it would speak into the next test.
    for thread in threading.enumerate():
        if thread.name == "z4j-agent":
            thread.join(60)


@pytest.fixture
def event() -> Callable[..., TaskEvent]:
    def make(number: int = 0, kind: Kind = Kind.STARTED, **data: Any) -> TaskEvent:
        return TaskEvent(
            kind=kind,
            engine="celery",
            task_id=f"task-{number}",
            occurred_at=1_000_000 + number,
            name="shop.send",
            queue="email",
            data=data,
        )

    return make


@pytest.fixture
def plugin() -> Callable[..., Any]:
    """Make an entry point for a plugin with these hook functions."""

    def make(name: str, **hooks: Any) -> Any:
        module = SimpleNamespace(**hooks)
        return SimpleNamespace(name=name, value=name, load=lambda: module)

    return make


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that is bound, so that nobody else gets it, and where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def in_child() -> Callable[[Callable[[], None]], int]:
    """Run a function in a really forked child; return its exit status, 0 if it did not raise."""

    def run(function: Callable[[], None]) -> int:
        with warnings.catch_warnings():
            # Newer Pythons warn of forks with threads about, which is what is tried here.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            status = 1
            try:
                function()
                status = 0
            except BaseException:
                traceback.print_exc(file=sys.stderr)
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run
