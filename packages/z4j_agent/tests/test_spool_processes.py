"""Real processes that are killed, with the server away, and the next one of the same agent."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from z4j_agent.runtime import Agent
from z4j_agent.settings import Settings
from z4j_agent.spool import journal as journals
from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind, TaskEvent

EVENTS = 5_000
PUBLISHER = """
import os, sys, time
import z4j_agent
from z4j_core.events import Kind, TaskEvent
truth = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
z4j_agent.start("publisher")
for number in range(int(sys.argv[2])):
    name = f"{sys.argv[3]}-{number}"
    z4j_agent.emit(TaskEvent(kind=Kind.PUBLISHED, engine="celery", task_id=name,
                             occurred_at=1_000_000 + number, data={"args": [number]}))
    os.write(truth, f"{name}\\n".encode())
print("done", flush=True)
time.sleep(600)
"""


def publish(folder: Path, environment: dict[str, str], name: str = "a") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(folder / "truth"), str(EVENTS), name],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def wait_for_truth(truth: Path, count: int, what: bytes = b"\n") -> None:
    deadline = time.monotonic() + 120
    while not truth.exists() or truth.read_bytes().count(what) < count:
        assert time.monotonic() < deadline, "the publisher does not publish"
        time.sleep(0.002)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def spool_of(brain: LoopbackBrain, folder: Path) -> dict[str, str]:
    return brain.environment(Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(folder / "spool"))


def arrived(brain: LoopbackBrain) -> Counter[str]:
    return Counter(event.task_id for event in brain.events)


def check_once(brain: LoopbackBrain, truth: Path) -> None:
    accepted = set(truth.read_text().split())
    found = arrived(brain)
    assert not accepted - set(found), "accepted and lost"
    assert max(found.values()) == 1, "recorded twice"
    # At most the one event of each process whose `emit` had not returned.
    assert len(found) <= len(accepted) + 2
    assert brain.gaps == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_publisher_killed_while_the_server_is_away_loses_nothing(
    tmp_path: Path, new_agent: Callable[..., Agent], seed: int
) -> None:
    with LoopbackBrain() as brain:
        environment = spool_of(brain, tmp_path)
        brain.stop()
        process = publish(tmp_path, environment)
        wait_for_truth(tmp_path / "truth", random.Random(seed).randint(1, EVENTS))
        kill(process)
        brain.start()
        new_agent(environment).start("publisher", "next")
        assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 1)
        check_once(brain, tmp_path / "truth")
        assert [hello.adopted for hello in brain.hellos] == [False, True]
        assert brain.hellos[1].role == "publisher"
        assert brain.hellos[1].pid == process.pid


def test_a_publisher_killed_while_it_sends_loses_and_doubles_nothing(
    tmp_path: Path, new_agent: Callable[..., Agent]
) -> None:
    with LoopbackBrain() as brain:
        environment = spool_of(brain, tmp_path)
        process = publish(tmp_path, environment)
        assert brain.wait_for(lambda: len(brain.events) > 1_000)
        kill(process)
        new_agent(environment).start("publisher", "next")
        assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 1)
        check_once(brain, tmp_path / "truth")


def test_many_dead_processes_and_two_adopters(
    tmp_path: Path, new_agent: Callable[..., Agent]
) -> None:
    with LoopbackBrain() as brain:
        environment = spool_of(brain, tmp_path)
        brain.stop()
        dead = [publish(tmp_path, environment, name) for name in "abcd"]
        for name in b"abcd":
            wait_for_truth(tmp_path / "truth", 500, b"\n%c-" % name)
        for process in dead:
            kill(process)
        brain.start()
        new_agent(environment).start("worker", "one")
        new_agent(environment).start("worker", "two")
        assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 2)
        accepted = set((tmp_path / "truth").read_text().split())
        found = arrived(brain)
        assert not accepted - set(found)
        assert max(found.values()) == 1
        assert len({hello.epoch for hello in brain.hellos if hello.adopted}) == 4


def test_a_spool_that_its_process_did_not_live_to_begin_is_deleted(
    tmp_path: Path, new_agent: Callable[..., Agent]
) -> None:
    with LoopbackBrain() as brain:
        agent = brain.credential.agent_id.hex
        folder = tmp_path / "spool" / f"{agent}-{'ab' * 16}"
        folder.mkdir(parents=True, mode=0o700)
        for name in ("lock", "00000001"):
            (folder / name).touch(0o600)
        new_agent(spool_of(brain, tmp_path)).start("worker", "next")
        assert brain.wait_for(lambda: not folder.exists())
        assert not any(hello.adopted for hello in brain.hellos)


def test_a_publisher_that_exits_while_the_server_is_away_leaves_a_spool(
    tmp_path: Path, new_agent: Callable[..., Agent]
) -> None:
    program = (
        "import z4j_agent; from z4j_core.events import *; z4j_agent.start('publisher')\n"
        "for n in range(300): z4j_agent.emit(TaskEvent(kind=Kind.PUBLISHED, engine='celery',"
        "task_id=str(n), occurred_at=n))"
    )
    with LoopbackBrain() as brain:
        environment = spool_of(brain, tmp_path)
        brain.stop()
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            timeout=60,
        )
        brain.start()
        new_agent(environment).start("publisher", "next")
        assert brain.wait_for(lambda: len(brain.events) == 300)
        assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 1)
    assert arrived(brain) == Counter(map(str, range(300)))


def test_stop_goes_on_trying_until_the_server_is_back(
    tmp_path: Path, new_agent: Callable[..., Agent], event: Callable[..., TaskEvent]
) -> None:
    import threading

    with LoopbackBrain() as brain:
        agent = new_agent(spool_of(brain, tmp_path))
        brain.stop()
        agent.start("publisher")
        for number in range(10):
            agent.emit(event(number, Kind.PUBLISHED))
        stopper = threading.Thread(target=agent.stop, args=(120.0,))
        stopper.start()
        time.sleep(1.0)
        brain.start()
        stopper.join(130)
        assert not stopper.is_alive()
        assert len(brain.events) == 10
        assert list((tmp_path / "spool").iterdir()) == []


def test_a_forked_child_does_not_hold_the_lock_of_its_parent(
    tmp_path: Path, new_agent: Callable[..., Agent], event: Callable[..., TaskEvent]
) -> None:
    program = (
        "import os, sys, time, z4j_agent; from z4j_core.events import *\n"
        "z4j_agent.start('worker')\n"
        "z4j_agent.emit(TaskEvent(kind=Kind.STARTED, engine='celery', task_id='1', occurred_at=1))"
        "\nif os.fork() == 0:\n    print(os.getpid(), flush=True); time.sleep(600)\n"
        "os.kill(os.getpid(), 9)"
    )
    with LoopbackBrain() as brain:
        environment = spool_of(brain, tmp_path)
        brain.stop()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            process.wait(60)
            brain.start()
            new_agent(environment).start("worker", "next")
            assert brain.wait_for(lambda: len(brain.events) == 1)
        finally:
            os.kill(child, 9)
            process.stdout.close()


def test_a_place_that_cannot_be_written_is_said_once(
    brain: LoopbackBrain,
    tmp_path: Path,
    new_agent: Callable[..., Agent],
    event: Callable[..., TaskEvent],
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("")
    agent = new_agent(brain.environment(Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(tmp_path / "file")))
    agent.start("worker")
    agent.emit(event(1))
    assert brain.wait_for(lambda: brain.events)
    said = [record.getMessage() for record in caplog.records if "memory only" in record.message]
    assert len(said) == 1
    assert "Z4J_SPOOL_DIR" in said[0]


def test_settings_of_the_spool(tmp_path: Path) -> None:
    def read(**more: str) -> Settings:
        return Settings.from_environment({"HOME": str(tmp_path), **more})

    assert read(Z4J_SPOOL="off").spool_root is None
    assert read().spool_root == tmp_path / ".local/state/z4j/spool"
    assert read(Z4J_SPOOL_DIR="/var/z").spool_root == Path("/var/z")
    assert read(Z4J_SPOOL_BYTES="33554432").spool_bytes == 33_554_432
    assert len(read(Z4J_SPOOL_DIR="here", Z4J_SPOOL="no", Z4J_SPOOL_BYTES="1").warnings) == 3


def leave_a_spool(
    folder: Path, environment: dict[str, str], acknowledged: int = 0
) -> tuple[str, str]:
    """Leave 500 events, the first 400 of them in two frames; return worker and epoch."""
    from z4j_agent.identity import Identity
    from z4j_agent.outbox import Outbox
    from z4j_agent.spool.journal import Journal
    from z4j_agent.spool.place import Place
    from z4j_core.credential import parse_token
    from z4j_core.redaction import Redactor
    from z4j_core.to_wire import to_wire

    who = Identity.of_this_process("publisher", "dead")
    place = Place(folder / "spool", parse_token(environment["Z4J_TOKEN"]).agent_id, 1 << 28)
    outbox = Outbox(1 << 20)
    outbox.write_to(Journal(place.create(who.epoch), who, 1 << 28, outbox.losses))
    encode = msgspec.msgpack.Encoder().encode
    for number in range(500):
        event = TaskEvent(
            kind=Kind.PUBLISHED, engine="celery", task_id=str(number), occurred_at=number
        )
        outbox.append(Kind.PUBLISHED, number, encode(to_wire(event, Redactor())))
    outbox.seal(2)
    outbox.sender.take_due(2)
    outbox.sender.acknowledge(acknowledged)
    outbox.settle()
    outbox.let_go()
    return who.worker_id, who.epoch


@pytest.mark.parametrize(
    ("position", "arrive", "gaps"), [(0, 500, []), (1, 300, []), (2, 100, []), (3, 0, [100])]
)
def test_the_adopter_believes_what_the_server_says_is_committed(
    brain: LoopbackBrain,
    tmp_path: Path,
    new_agent: Callable[..., Agent],
    position: int,
    arrive: int,
    gaps: list[int],
) -> None:
    environment = spool_of(brain, tmp_path)
    brain.positions[leave_a_spool(tmp_path, environment)] = position
    new_agent(environment).start("worker", "next")
    assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 1)
    assert [event.task_id for event in brain.events] == [str(n) for n in range(500 - arrive, 500)]
    assert [gap.count for gap in brain.gaps] == gaps


def test_a_server_that_forgot_what_it_had_is_sent_what_is_there(
    brain: LoopbackBrain,
    tmp_path: Path,
    new_agent: Callable[..., Agent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 5_000)
    environment = spool_of(brain, tmp_path)
    key = leave_a_spool(tmp_path, environment, acknowledged=2)
    brain.positions[key] = 1  # as after a backup was restored
    new_agent(environment).start("worker", "next")
    assert brain.wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 1)
    found = [int(event.task_id) for event in brain.events]
    assert found == list(range(found[0], 500))
    assert found[0] <= 400
    assert brain.positions[key] == 2
    assert brain.gaps == []
