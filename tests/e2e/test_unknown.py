"""Workers are killed in the middle of tasks: the record says what became of each, or that nobody
knows it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from celery_worker import Shop
from server import ASK_EVERY_S, PROJECT, Client
from z4j_brain.commands.service import Commands
from z4j_brain.keys import Keys
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.stuck import StuckTasks
from z4j_brain.settings import load
from z4j_brain.store.database import Database

KEYS = Keys(b"m" * 40, b"s" * 40)


class Elsewhere:
    """Stands for the links of a replica that has none, and for its live feed."""

    def deliver(self, _worker_row: uuid.UUID, _command: object) -> bool:
        return False

    def online(self) -> set[uuid.UUID]:
        return set()

    def publish(self, _project_id: uuid.UUID, _offset: int, _changes: Changes) -> None:
        """Nobody listens here."""


@pytest.fixture
def leader(record_url: str) -> Iterator[StuckTasks]:
    """A second replica that leads, with less patience than an operator has."""
    database, elsewhere = Database(record_url), Elsewhere()
    settings = msgspec.structs.replace(load({}).settings, probe_grace_s=1)
    commands = Commands(database, elsewhere, elsewhere, KEYS)  # type: ignore[arg-type]
    yield StuckTasks(database, settings, Counters(), commands, elsewhere)
    database.close()


def work(leader: StuckTasks, is_enough: Callable[[], bool], timeout_s: float = 180) -> None:
    """Let the leader work until something holds."""
    deadline = time.monotonic() + timeout_s
    with ThreadPoolExecutor(1) as thread:  # in this one the browser's event loop may run
        while not is_enough():
            assert time.monotonic() < deadline, "the leader came to no conclusion"
            thread.submit(asyncio.run, leader.take_answers()).result()
            thread.submit(asyncio.run, leader.look()).result()
            time.sleep(0.5)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and its children, -9; it may have been killed already."""
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    pids = children.read_text().split() if children.exists() else []
    for pid in (worker.pid, *map(int, pids)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    worker.wait()


def task(client: Client, task_id: str) -> Any:
    return client.project(f"/tasks/celery/{task_id}")


def state(client: Client, task_id: str) -> str:
    return str(task(client, task_id)["state"])


def crash(shop: Shop, client: Client) -> tuple[str, str, str]:
    """Return a task that is lost, one that is delivered again, one whose end nobody reported."""
    first = shop.start_worker("w1")
    second = shop.start_worker("w2", "-c", "1", "-Q", "last")
    [lost, again, silent] = shop.publish(
        "print(sleep.delay(600).id)\n"
        "print(second_life.delay().id)\n"
        "print(last_words.apply_async(queue='last').id)"
    )
    client.task(lost, "running")
    client.task(again, "running")
    client.task(silent, "running")
    second.wait(60)
    kill(second)
    kill(first)
    deadline = time.monotonic() + 60
    while any(one["online"] for one in client.project("/workers")["items"]):
        assert time.monotonic() < deadline, "the server does not notice that the workers are gone"
        time.sleep(ASK_EVERY_S)
    return lost, again, silent


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_what_a_killed_worker_leaves_behind(
    shop: Shop, client: Client, leader: StuckTasks, redis_url: str
) -> None:
    shop.environment |= {"RESULT_URL": redis_url, "VISIBILITY_S": "1"}
    lost, again, silent = crash(shop, client)
    # While no agent is there to be asked, nobody knows anything.
    work(leader, lambda: {state(client, one) for one in (lost, again, silent)} == {"unknown"})
    found = task(client, lost)
    assert "was last seen" in found["unknown_reason"]
    assert "No agent" in found["unknown_reason"]
    assert (found["ended_at"], found["unknown_since"]) == (None, found["updated_at"])
    listed = client.project("/tasks", q="state:unknown")["items"]
    assert {one["task_id"] for one in listed} == {lost, again, silent}

    shop.start_worker("w3", "-Q", "truth")
    work(leader, lambda: state(client, silent) == "succeeded")
    told = client.project(f"/tasks/celery/{silent}/events")["items"]
    [end] = [one for one in told if one["kind"] == "succeeded"]
    assert end["payload"]["result"] == "last words"
    assert end["payload"]["reason"].startswith("Told by the result backend redis")
    [doubt] = [one for one in told if one["kind"] == "unknown"]
    assert doubt["worker"] == "z4j"
    client.task(again, "succeeded", timeout_s=180)
    assert shop.truth()["started", again, 0] == 2, "it was delivered again"
    found = task(client, lost)
    assert (found["state"], found["ended_at"]) == ("unknown", None)
    assert found["attempts"][-1]["reason"] == found["unknown_reason"]
    asked = client.project("/commands")["items"]
    assert {(one["action"], one["created_by"]) for one in asked} == {("probe", None)}
    assert client.http.get(f"/projects/{PROJECT}/actions").text.count('"probe"') == 0


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_without_a_result_backend_nobody_knows(
    shop: Shop, client: Client, leader: StuckTasks
) -> None:
    lost, again, silent = crash(shop, client)
    shop.start_worker("w3", "-Q", "truth")
    client.wait_for_action("cancel")
    work(leader, lambda: {state(client, one) for one in (lost, again, silent)} == {"unknown"})
    reason = task(client, silent)["unknown_reason"]
    assert "no result backend, since none is configured" in reason
    assert reason.endswith("nobody knows it.")
