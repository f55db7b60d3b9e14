"""Real workers in processes of their own, with the real agent and a loopback server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq_stand import wait

from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind

APPS = Path(__file__).parent / "apps"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as brain:
        yield brain


@pytest.fixture
def start(tmp_path: Path, redis_url: str) -> Iterator[Start]:
    """Start `dramatiq dramatiq_shop`, or another program of the shop."""
    running: list[subprocess.Popen[bytes]] = []

    def start(environment: dict[str, str], *command: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        own = {"BROKER_URL": redis_url, "PYTHONPATH": str(APPS), "dramatiq_worker_timeout": "100"}
        worker = ("-m", "dramatiq", "dramatiq_shop", "-p", "2", "-t", "2")
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *(command or worker)],
                env=kept | environment | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def wait_until_ready(tmp_path: Path, processes: int = 2) -> None:
    log = tmp_path / "log"
    wait(lambda: log.read_text().count("ready for action") == processes, log.read_text)


def publish(start: Start, environment: dict[str, str], program: str) -> None:
    publisher = start(environment, "-c", f"from dramatiq_shop import *\n{program}")
    assert publisher.wait(60) == 0


def test_one_link_for_each_process_that_works_and_none_for_the_master(
    brain: LoopbackBrain, start: Start, tmp_path: Path
) -> None:
    master = start(brain.environment())
    wait_until_ready(tmp_path)
    assert brain.wait_for(lambda: brain.open_links == 2)
    hellos = list(brain.hellos)
    assert {hello.role for hello in hellos} == {"worker"}
    assert master.pid not in {hello.pid for hello in hellos}
    assert all("dramatiq" in {one.name for one in hello.engines} for hello in hellos)
    file = tmp_path / "pids"
    publish(start, brain.environment(), f"for n in range(200): process_id.send({str(file)!r})")
    ends = (Kind.PUBLISHED, Kind.STARTED, Kind.SUCCEEDED)
    wanted = dict.fromkeys(ends, 200)
    assert brain.wait_for(lambda: counts(brain) == wanted), counts(brain)
    pids = set(map(int, file.read_text().split()))
    assert pids == {hello.pid for hello in hellos}
    begun = time.monotonic()
    master.terminate()
    assert master.wait(60) == 0
    # Dramatiq looks for the signal once a second, and its threads wake up once a second.
    assert time.monotonic() - begun < 30
    assert brain.wait_for(lambda: len(brain.goodbyes) >= 2)


def counts(brain: LoopbackBrain) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for event in list(brain.events):
        found[event.kind] = found.get(event.kind, 0) + 1
    return found


@pytest.mark.parametrize("kind", ["refusing", "black hole"])
def test_a_server_that_is_not_there_keeps_no_worker_from_its_work(
    start: Start, tmp_path: Path, kind: str
) -> None:
    with LoopbackBrain() as brain:
        environment = brain.environment()
    with socket.socket() as listener:
        if kind == "black hole":
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            environment["Z4J_URL"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        master = start(environment)
        wait_until_ready(tmp_path)
        file = tmp_path / "pids"
        publish(start, environment, f"for n in range(20): process_id.send({str(file)!r})")
        wait(lambda: file.exists() and len(file.read_text().split()) == 20)
        master.terminate()
        assert master.wait(60) == 0


def test_without_an_address_nothing_is_attached(start: Start, redis_url: str) -> None:
    program = (
        "import sys, dramatiq_shop; assert 'z4j_agent.runtime' not in sys.modules; "
        "assert not [m for m in dramatiq_shop.broker.middleware if 'z4j' in type(m).__module__]; "
        "import z4j_dramatiq; z4j_dramatiq.install(dramatiq_shop.broker); "
        "assert 'z4j_agent.runtime' not in sys.modules"
    )
    assert start({}, "-c", program).wait(60) == 0


@pytest.mark.parametrize("is_before", [True, False])
def test_a_broker_that_was_made_before_is_found_or_installed(
    brain: LoopbackBrain, start: Start, is_before: bool
) -> None:
    made = (
        "import dramatiq, sys; from dramatiq.brokers.stub import StubBroker; "
        "mine = StubBroker(); dramatiq.set_broker(StubBroker()); "
    )
    program = (
        "import z4j_dramatiq, z4j_dramatiq.auto; z4j_dramatiq.install(mine); "
        "[dramatiq.actor(lambda: 0, actor_name='a', broker=one).send() "
        "for one in (mine, dramatiq.get_broker())]; z4j_dramatiq.install(mine)"
    )
    steps = (
        made + program if is_before else f"import z4j_agent; z4j_agent.register(); {made}{program}"
    )
    assert start(brain.environment(), "-c", steps).wait(60) == 0
    assert brain.wait_for(lambda: counts(brain) == {Kind.PUBLISHED: 2}), counts(brain)
