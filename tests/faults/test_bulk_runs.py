"""A bulk retry whose server is killed in the middle: every task is retried exactly once.

`BULK_TASKS=10000 BULK_RATE=500 pytest -s -k bulk tests/faults` is the same at full size.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server import ASK_EVERY_S, PROJECT, Client, Server
from z4j_agent.runtime import Agent
from z4j_agent.settings import Settings
from z4j_core.events import Kind, TaskEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import Engine, RetryParams, RetryResult, hook

TASKS = int(os.environ.get("BULK_TASKS", "400"))
RATE = float(os.environ.get("BULK_RATE", "100"))
PATIENCE_S = 300.0


class Toy(Engine):
    """Remembers what it was asked to run again: the truth that the record is compared with."""

    name = "toy"

    def __init__(self) -> None:
        self.retries = Counter[str]()
        self._host: Any = None

    def attach(self, host: Any) -> None:
        self._host = host

    def detach(self) -> None:
        self._host = None

    def emit(self, kind: Kind, task_id: str, **data: Any) -> None:
        at = time.time_ns() // 1_000
        known = {"engine": "toy", "task_id": task_id, "occurred_at": at, "name": "toy.run"}
        self._host.emit(TaskEvent(kind=kind, data=data, **known))

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Run a task again, which ends well at once."""
        self.retries[task.task_id] += 1
        made = f"again-{task.task_id}-{self.retries[task.task_id]}"
        self.emit(Kind.PUBLISHED, made, retried_from=task.task_id)
        self.emit(Kind.SUCCEEDED, made)
        return RetryResult(made)


@pytest.fixture
def server(tmp_path: Path, record_url: str) -> Iterator[Server]:
    server = Server(tmp_path / "home", record_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server)
    client.set_up()
    yield client
    client.http.close()


@pytest.fixture
def toy(server: Server, client: Client, tmp_path: Path) -> Iterator[Toy]:
    """An engine of this process, linked, with the failed tasks told of."""
    engine = Toy()

    @hook
    def z4j_engine(settings: Any) -> Toy:
        return engine

    module = SimpleNamespace(z4j_engine=z4j_engine)
    point = SimpleNamespace(name="toy", value="toy", load=lambda: module)
    environment = {"Z4J_URL": server.url, "Z4J_TOKEN": client.mint("toy")}
    environment["Z4J_SPOOL_DIR"] = str(tmp_path / "spool")
    agent = Agent(Settings.from_environment(environment), [point])
    agent.register()
    agent.start("worker")
    for number in range(TASKS):
        engine.emit(Kind.PUBLISHED, f"t{number:05}")
        engine.emit(Kind.FAILED, f"t{number:05}", exception={"type": "ValueError"})
        if number % 500 == 499:
            time.sleep(0.05)  # an outbox in memory is bounded
    yield engine
    agent.stop(5.0)
    agent.unregister()


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(ASK_EVERY_S)
    raise AssertionError(f"no {what}")


class Runs:
    """Bulk runs by the API; between a kill and the next start nobody answers."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def make(self) -> str:
        asked = {"action": "retry", "engine": "toy", "filter": "state:failed", "rate": RATE}
        made = self.client.post(f"/projects/{PROJECT}/bulk-runs", **asked)
        return str(made["id"])

    def estimate(self) -> Any:
        asked = {"action": "retry", "engine": "toy", "filter": "state:failed"}
        return self.client.post(f"/projects/{PROJECT}/bulk-runs/estimate", **asked)

    def find(self, run: str) -> Any:
        return self.client.project(f"/bulk-runs/{run}")

    def ended(self, run: str) -> int:
        counts = self.find(run)["counts"]
        return int(sum(counts.values()) - counts["waiting"] - counts["sent"])

    def wait_for_state(self, run: str, state: str) -> Any:
        found = wait_for(state, lambda: self.find(run)["state"] == state)
        return found and self.find(run)


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_aborted_half_way_and_killed_in_the_middle_each_task_is_retried_once(
    server: Server, client: Client, toy: Toy
) -> None:
    runs = Runs(client)
    client.wait_for_action("retry")
    begun = time.monotonic()
    wait_for("failed tasks", lambda: runs.estimate()["eligible"] == TASKS)
    told_s = time.monotonic() - begun
    begun = time.monotonic()
    estimate = runs.estimate()
    estimate_s = time.monotonic() - begun
    assert (estimate["matching"], estimate["looked_at"]) == (TASKS, TASKS)

    begun = time.monotonic()
    first = runs.make()
    wait_for("half", lambda: runs.ended(first) >= TASKS // 2)
    client.post(f"/projects/{PROJECT}/bulk-runs/{first}/steps", step="abort")
    aborted = runs.wait_for_state(first, "aborted")
    half_s = time.monotonic() - begun
    assert TASKS // 2 <= aborted["counts"]["succeeded"] < TASKS

    begun = time.monotonic()
    second = runs.make()
    middle = (TASKS + aborted["counts"]["succeeded"]) // 2
    wait_for("the middle", lambda: sum(toy.retries.values()) >= middle)
    server.kill()
    server.start()
    done = runs.wait_for_state(second, "done")
    rest_s = time.monotonic() - begun
    assert done["counts"]["succeeded"] + aborted["counts"]["succeeded"] == TASKS
    assert done["counts"]["skipped"] == aborted["counts"]["succeeded"]

    assert toy.retries == Counter(f"t{number:05}" for number in range(TASKS))
    wait_for("every retry in the record", lambda: runs.estimate()["later_succeeded"] == TASKS)
    at = aborted["counts"]["succeeded"]
    print(
        f"\n{TASKS} tasks at {RATE:g}/s: told in {told_s:.1f} s, estimate {estimate_s:.2f} s,"
        f" aborted at {at} after {half_s:.1f} s, the rest with a kill -9 in {rest_s:.1f} s"
    )
