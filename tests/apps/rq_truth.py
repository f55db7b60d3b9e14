"""RQ jobs that count the truth themselves, as the tasks of `celery_truth.py`.

How many runs a job has had is counted in Redis.
"""

from __future__ import annotations

import os
import time
from datetime import UTC
from pathlib import Path

import redis
from rq import Queue, Retry, get_current_job
from telling import publish, tell, tell_charge  # noqa: F401

import z4j_rq.auto  # noqa: F401

QUEUE = Queue("truth", connection=redis.Redis.from_url(os.environ["BROKER_URL"]))


def send(number: int) -> str:
    """Publish one."""
    retry = Retry(max=1 + number % 2) if number % 5 == 0 else None
    return str(QUEUE.enqueue(work, number, retry=retry).id)


def work(number: int) -> int:
    """Every seventh fails, every fifth is retried once or twice, the others succeed."""
    began = time.time_ns()
    job = get_current_job()
    assert job is not None
    attempt = int(job.connection.incr(f"truth:{job.id}")) - 1
    assert job.enqueued_at is not None
    due = job.enqueued_at.replace(tzinfo=UTC).timestamp() * 1e9 if attempt else 0
    tell("started", job.id, attempt, began, int(due))
    time.sleep(0.002)
    end = "succeeded"
    if number % 5 == 0 and attempt < 1 + number % 2:
        end = "retried"
    elif number % 7 == 0:
        end = "failed"
    tell(end, job.id, attempt)
    if end != "succeeded":
        raise ValueError(f"number {number}: {end}")
    return number


def killed() -> None:
    """Takes its own process down."""
    job = get_current_job()
    assert job is not None
    tell("started", job.id, 0)
    tell("failed", job.id, 0)
    os.kill(os.getpid(), 9)


def charge(order: str, *, password: str) -> None:
    """Tells the arguments that it really got, and fails."""
    tell_charge(order, password)
    raise ValueError("declined")


def hold(gate: str) -> None:
    """Waits until the file `gate` is there, for two minutes at most."""
    for _ in range(12_000):
        if Path(gate).exists():
            return
        time.sleep(0.01)
    raise TimeoutError(gate)
