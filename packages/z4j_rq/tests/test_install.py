"""One option or one import turns it on; without `Z4J_URL` nothing happens at all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import redis
from rq import Queue
from rq.job import Job
from stand import wait

from z4j_agent.testing import LoopbackBrain
from z4j_core.frames import Command, TaskRef

APPS = Path(__file__).parent / "apps"
StartWorker = Callable[..., "subprocess.Popen[bytes]"]
WHOLE = ("published", "received", "started", "succeeded")


def clean(**environment: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return {**kept, "PYTHONPATH": str(APPS), **environment}


def run(program: str, **environment: str) -> str:
    """Return what a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def start_worker(redis_url: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Start RQ's own command in a process group of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **environment: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "rq.cli", *command, "-u", redis_url, "shop"],
                env=clean(**environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_importing_the_package_or_the_plugin_imports_no_rq() -> None:
    program = "import sys, z4j_rq, z4j_rq.plugin; print('rq' in sys.modules)"
    assert run(program).strip() == "False"


def test_nothing_happens_without_a_url(client: redis.Redis, redis_url: str) -> None:
    program = f"""
import json, sys
import redis
from rq import Queue
enqueue = Queue._enqueue_job
import z4j_rq.auto
loaded = [name for name in sys.modules if name == "z4j_agent.runtime" or "z4j_core" in name]
from z4j_rq import SimpleWorker
client = redis.Redis.from_url({redis_url!r})
job = Queue("shop", connection=client).enqueue("rq_shop.add", 1)
SimpleWorker(["shop"], connection=client).work(burst=True)
fields = [name.decode() for name in client.hkeys(job.key) if name.startswith(b"z4j")]
print(json.dumps([loaded, Queue._enqueue_job is enqueue, fields, job.get_status().value]))
"""
    loaded, is_unpatched, fields, status = json.loads(run(program).splitlines()[-1])
    assert (loaded, is_unpatched, fields, status) == ([], True, [], "finished")


def test_the_option_is_enough(
    client: redis.Redis, redis_url: str, start_worker: StartWorker
) -> None:
    """The real agent, one link: events of the worker and of its horses, and a command."""
    with LoopbackBrain() as brain:
        settings = brain.environment(Z4J_PLUGINS="rq")
        worker = start_worker("worker", "-w", "z4j_rq.Worker", "-n", "till-1", **settings)
        assert brain.wait_for(lambda: brain.hellos)
        first = Queue("shop", connection=client).enqueue("rq_shop.enqueue", redis_url, 1)
        assert brain.wait_for(lambda: len(brain.events) >= 7), brain.events
        hello = brain.hellos[0]
        assert (hello.role, hello.worker_id) == ("worker", "till-1")
        [engine] = hello.engines
        offered = {action.name for action in engine.actions if action.absent is None}
        assert offered == {
            *("retry", "retry_edited", "requeue", "cancel", "terminate", "purge", "probe"),
            *("suspend", "resume", "shutdown"),
        }
        task = TaskRef(first.id, "rq_shop.add", "shop", "succeeded")
        brain.command(Command(id="c1", engine="rq", action="retry", params=b"{}", task=task))
        assert brain.wait_for(lambda: brain.results)
        new = msgspec.json.decode(brain.results[0].result)["task_id"]
        assert brain.wait_for(
            lambda: (
                Counter(one.kind.value for one in brain.events if one.task_id == new)
                == Counter(WHOLE)
            )
        )
        brain.command(Command(id="c2", engine="rq", action="shutdown", params=b"{}"))
        assert worker.wait(60) == 0
        assert brain.wait_for(lambda: brain.open_links == 0)
        assert len(brain.hellos) == 1
        assert not brain.gaps


def test_each_worker_of_a_pool_has_a_link_and_the_pool_has_none(
    client: redis.Redis, start_worker: StartWorker
) -> None:
    with LoopbackBrain() as brain:
        settings = brain.environment(Z4J_PLUGINS="rq", RQ_WORKER_CLASS="z4j_rq.Worker")
        pool = start_worker("worker-pool", "-n", "2", **settings)
        assert brain.wait_for(lambda: brain.open_links == 2)
        assert {hello.role for hello in brain.hellos} == {"worker"}
        queue = Queue("shop", connection=client)
        later = queue.enqueue_in(timedelta(seconds=1), "rq_shop.add", 1)
        jobs = [queue.enqueue("rq_shop.add", number) for number in range(10)]
        done = Counter({job.id: 1 for job in [*jobs, later]})
        assert brain.wait_for(
            lambda: Counter(e.task_id for e in brain.events if e.kind.value == "succeeded") == done
        )
        # The scheduler is one more fork: what it enqueued came over its worker's link.
        assert [e.task_id for e in brain.events if e.kind.value == "published"] == [later.id]
        pool.terminate()
        assert pool.wait(60) == 0
        assert brain.wait_for(lambda: brain.open_links == 0)
        assert len(brain.hellos) == 2


def test_an_unreachable_server_holds_nothing_up(
    client: redis.Redis, start_worker: StartWorker
) -> None:
    with socket.socket() as nobody, LoopbackBrain() as brain:
        nobody.bind(("127.0.0.1", 0))
        settings = brain.environment(Z4J_URL=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        worker = start_worker("worker", "-w", "z4j_rq.Worker", **settings)
        job = Queue("shop", connection=client).enqueue("rq_shop.add", 1)
        wait(lambda: Job.fetch(job.id, connection=client).get_status() == "finished")
        worker.terminate()
        assert worker.wait(60) == 0


def test_a_publisher_tells_before_it_exits(client: redis.Redis, redis_url: str) -> None:
    program = f"""
import redis
import z4j_agent
z4j_agent.register()  # somebody registered before RQ was imported
import z4j_rq.auto
from rq import Queue
client = redis.Redis.from_url({redis_url!r})
print(Queue("shop", connection=client).enqueue("rq_shop.add", 1).id)
"""
    with LoopbackBrain() as brain:
        task_id = run(program, **brain.environment(Z4J_PLUGINS="rq")).strip()
        assert brain.wait_for(lambda: brain.events)
        [event] = brain.events
        assert (event.task_id, event.kind.value, event.name) == (
            task_id,
            "published",
            "rq_shop.add",
        )
        assert [hello.role for hello in brain.hellos] == ["publisher"]
