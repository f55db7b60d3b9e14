"""What can be done with RQ's jobs, queues and workers is clicked, and RQ shows the effect."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue, Worker
from rq.job import Job
from rq.suspension import is_suspended

from clicking import Hand, eventually
from rq_worker import RqShop
from server import Client

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(rq_shop: RqShop) -> RqShop:
    return rq_shop


@pytest.fixture
def rq(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def test_every_action(
    hand: Hand, client: Client, shop: RqShop, rq: redis.Redis, tmp_path: Path
) -> None:
    process = shop.start_worker()
    failed = enqueue(rq, "work", 7)
    client.task(failed, "failed", engine="rq")
    run_it_again(hand, shop, rq, failed)
    terminate_a_job(hand, client, shop, rq, process, tmp_path / "never")
    hand.do("rq", "suspend", hand.worker()["id"])
    assert is_suspended(rq)
    leave_waiting_jobs(hand, client, shop, rq)
    hand.do("rq", "resume", hand.worker()["id"])
    assert not is_suspended(rq)
    last = enqueue(rq, "work", 8)
    eventually(lambda: status(rq, last) == "finished", "the worker goes on")
    hand.do("rq", "shutdown", hand.worker()["id"])
    assert process.wait(60) == 0
    assert Worker.count(connection=rq) == 0


def run_it_again(hand: Hand, shop: RqShop, rq: redis.Redis, failed: str) -> None:
    again = hand.do("rq", "retry", failed)["task_id"]
    eventually(lambda: status(rq, again) == "failed", "7 fails again")
    other = hand.do("rq", "retry_edited", failed, args="[8]")["task_id"]
    eventually(lambda: status(rq, other) == "finished", "8 does not")
    assert Job.fetch(other, connection=rq).return_value() == 8
    hand.do("rq", "requeue", failed)
    eventually(lambda: shop.truth()["failed", failed, 1] == 1, "it is the same job's next run")
    assert shop.truth()["failed", again, 0] == 1


def terminate_a_job(
    hand: Hand,
    client: Client,
    shop: RqShop,
    rq: redis.Redis,
    worker: subprocess.Popen[bytes],
    gate: Path,
) -> None:
    held = enqueue(rq, "hold", str(gate))
    client.task(held, "running", engine="rq")
    [horse] = shop.children(worker)
    hand.do("rq", "terminate", held)
    eventually(lambda: status(rq, held) == "stopped", "RQ says that it was stopped")
    eventually(lambda: horse not in shop.children(worker), "its process has to go")


def leave_waiting_jobs(hand: Hand, client: Client, shop: RqShop, rq: redis.Redis) -> None:
    """Cancel one and purge the others, while the worker takes none."""
    queue = Queue("truth", connection=rq)
    enqueue(rq, "work", 8)  # an idle worker takes one more
    eventually(lambda: [one.get_state() for one in Worker.all(rq)] == ["suspended"], "not yet")
    waiting, *others = shop.publish("publish(send, 3)")
    client.task(waiting, "queued", engine="rq")
    hand.do("rq", "cancel", waiting)
    assert status(rq, waiting) == "canceled"
    assert waiting not in queue.job_ids
    assert set(others) <= set(queue.job_ids)
    assert hand.do("rq", "purge", "truth")["deleted"] >= 2
    assert queue.count == 0
    assert Job.fetch_many(others, connection=rq) == [None, None]
    assert waiting not in {task_id for _, task_id, _ in shop.truth()}


def enqueue(rq: redis.Redis, function: str, argument: int | str) -> str:
    """Enqueue a job of `rq_truth` from here, where z4j is not; it is known once it runs."""
    return Queue("truth", connection=rq).enqueue(f"rq_truth.{function}", argument).id


def status(rq: redis.Redis, job: str) -> str:
    return str(Job.fetch(job, connection=rq).get_status().value)
