"""Whole processes: how they end, with whatever stands at the other side."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from z4j_agent.testing import LoopbackBrain, new_credential

PATIENT = """
from z4j_agent.runtime import Agent
Agent.stop.__defaults__ = (60.0,)  # on a slow machine, too, the end is not cut short
"""
EMIT = """
import z4j_agent
from z4j_core.events import Kind, TaskEvent
def emit(number):
    z4j_agent.emit(TaskEvent(kind=Kind.FAILED, engine="celery", task_id=str(number), occurred_at=1))
z4j_agent.start("publisher")
emit(1)
"""
HANGING_RESOLVER = """
import socket, time
socket.getaddrinfo = lambda *a, **k: time.sleep(600)
"""


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; one that hangs fails the test."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "Z4J_PLUGINS": "none", **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def nowhere(url: str) -> dict[str, str]:
    return {"Z4J_URL": url, "Z4J_TOKEN": new_credential().token()}


def test_a_program_that_just_ends_has_told_everything(brain: LoopbackBrain) -> None:
    done = run(PATIENT + EMIT, brain.environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [event.task_id for event in brain.events] == ["1"]
    assert brain.wait_for(lambda: brain.goodbyes)


def test_a_program_that_dies_of_an_exception_has_told_everything(brain: LoopbackBrain) -> None:
    done = run(f"{PATIENT}{EMIT}\nraise SystemExit(3)", brain.environment())
    assert done.returncode == 3
    assert brain.wait_for(lambda: len(brain.events) == 1)


def test_a_forked_child_that_ends_by_exit_tells_its_own(brain: LoopbackBrain) -> None:
    code = f"""{PATIENT}{EMIT}
import os, warnings
warnings.simplefilter("ignore")
if os.fork() == 0:
    emit(2)
else:
    os.wait()
"""
    assert run(code, brain.environment()).returncode == 0
    assert brain.wait_for(lambda: len(brain.events) == 2)
    assert sorted(event.task_id for event in brain.events) == ["1", "2"]
    assert len({hello.epoch for hello in brain.hellos}) == 2


def test_a_black_hole_does_not_keep_a_program_from_ending() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run(EMIT, nowhere(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert done.returncode == 0


def test_a_resolver_that_hangs_does_not_keep_a_program_from_ending() -> None:
    assert run(HANGING_RESOLVER + EMIT, nowhere("http://z4j.invalid")).returncode == 0


def test_a_port_where_nothing_listens_does_not_keep_a_program_from_ending(dead_port: int) -> None:
    url = f"http://127.0.0.1:{dead_port}"
    done = run(EMIT + "import time; time.sleep(0.3)", nowhere(url))
    assert done.returncode == 0
    assert done.stderr.count("Nothing listens") == 1


@pytest.mark.parametrize("token", ["garbage", ""])
def test_a_bad_token_is_said_once_on_the_console(token: str) -> None:
    done = run(EMIT * 3, {"Z4J_URL": "http://127.0.0.1:9", "Z4J_TOKEN": token})
    assert done.returncode == 0
    assert done.stderr.count("The z4j agent stays off") == 1
