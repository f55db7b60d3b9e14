"""A command does in the engine what it says; one server and one worker for all, of each kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_worker import Shop
from server import Client
from services.redis import Redis


@pytest.fixture(scope="module")
def client(shared_client: Client) -> Client:
    return shared_client


@pytest.fixture(scope="module")
def shop(
    redis_server: Redis, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """A shop whose worker runs one task at a time."""
    redis_server.flush()
    folder, url = tmp_path_factory.mktemp("shop"), client.server.url
    shop = Shop(folder, redis_server.url, url, client.mint("shop"))
    shop.start_worker("w1", "-c", "1")
    yield shop
    shop.stop()


def test_a_retry_runs_again_and_is_linked(shop: Shop, client: Client) -> None:
    [task_id] = shop.publish('print(fail.delay("no stock").id)')
    task = client.task(task_id, "failed")
    assert task["exception_type"].endswith("ValueError")
    assert task["exception_message"] == "no stock"
    command = client.command("retry", target={"task_id": task_id})
    done = client.finished_command(command["id"])
    assert done["state"] == "succeeded", done
    again = client.task(done["result"]["task_id"], "failed")
    assert again["retried_from"] == task_id
    assert again["args"] == ["no stock"]
    assert client.project(f"/tasks/celery/{task_id}")["retried_as"] == [again["task_id"]]


def test_an_edited_retry_runs_with_the_new_arguments(shop: Shop, client: Client) -> None:
    [task_id] = shop.publish('print(fail.delay("old").id)')
    client.task(task_id, "failed")
    params = {"args": ["new"], "kwargs": {}}
    command = client.command("retry_edited", params=params, target={"task_id": task_id})
    done = client.finished_command(command["id"])
    assert client.task(done["result"]["task_id"], "failed")["exception_message"] == "new"


def test_a_cancelled_task_does_not_run(shop: Shop, client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    [_, task_id] = shop.publish(f"print(hold.delay({str(gate)!r}).id, sleep.delay(0.1).id)")
    client.task(task_id, "received")
    command = client.command("cancel", target={"task_id": task_id})
    assert client.finished_command(command["id"])["state"] == "succeeded"
    gate.touch()
    assert client.task(task_id, "cancelled")["started_at"] is None


def test_a_running_task_is_terminated(shop: Shop, client: Client) -> None:
    [task_id] = shop.publish("print(sleep.delay(60).id)")
    client.task(task_id, "running")
    command = client.command("terminate", target={"task_id": task_id})
    assert client.finished_command(command["id"])["state"] == "succeeded"
    client.task(task_id, "cancelled")


def test_a_queue_is_purged(shop: Shop, client: Client) -> None:
    shop.publish('[sleep.apply_async((1,), queue="idle") for _ in range(7)]')
    client.wait_for_action("purge")
    command = client.command("purge", target={"queue": "idle"})
    assert client.finished_command(command["id"])["result"] == {"deleted": 7}


def test_the_same_idempotency_key_is_one_command(shop: Shop, client: Client) -> None:
    [task_id] = shop.publish('print(fail.delay("x").id)')
    client.task(task_id, "failed")
    client.http.headers["Idempotency-Key"] = "a-key-of-the-test"
    commands = [client.command("retry", target={"task_id": task_id}) for _ in range(2)]
    del client.http.headers["Idempotency-Key"]
    assert commands[0]["id"] == commands[1]["id"]
    done = client.finished_command(commands[0]["id"])
    client.task(done["result"]["task_id"], "failed")
    time.sleep(0.5)
    assert len(client.project(f"/tasks/celery/{task_id}")["retried_as"]) == 1


def test_command_latency_is_printed(shop: Shop, client: Client) -> None:
    """Prints the figure; asserts only that every command ended well."""
    client.wait_for_action("purge")
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        command = client.command("purge", target={"queue": "truth"})
        while client.project(f"/commands/{command['id']}")["state"] in ("pending", "sent"):
            time.sleep(0.001)
        times.append((time.perf_counter() - begin) * 1_000)
        assert client.project(f"/commands/{command['id']}")["state"] == "succeeded"
    print(f"\ncommand to result: p50 {statistics.median(times):.1f} ms, max {max(times):.1f} ms")
