"""RQ jobs that count the truth themselves, outside z4j.

Each run appends one line when it begins and one when it ends to the file `TRUTH_FILE`, as
`celery_truth` does, and one with the moments of both (µs) to the file beside it. How many runs a
job has had is counted in Redis.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import redis
from rq import Queue, Retry, get_current_job

import z4j_rq.auto  # noqa: F401


def queue() -> Queue:
    """Return the queue of the truth."""
    return Queue("truth", connection=redis.Redis.from_url(os.environ["BROKER_URL"]))


def publish(count: int) -> None:
    """Enqueue `work(0)` to `work(count - 1)` and print their ids."""
    truth = queue()
    for number in range(count):
        retry = Retry(max=1 + number % 2) if number % 5 == 0 else None
        print(truth.enqueue(work, number, retry=retry).id)


def tell(line: str, file: str = "") -> None:
    path = os.environ["TRUTH_FILE"] + file
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def work(number: int) -> int:
    """Every seventh fails, every fifth is retried once or twice, the others succeed."""
    start = time.time_ns() // 1_000
    job = get_current_job()
    assert job is not None
    attempt = int(job.connection.incr(f"truth:{job.id}")) - 1
    tell(f"started {job.id} {attempt}")
    end = "succeeded"
    if number % 5 == 0 and attempt < 1 + number % 2:
        end = "retried"
    elif number % 7 == 0:
        end = "failed"
    tell(f"{end} {job.id} {attempt}")
    tell(f"{job.id} {attempt} {start} {time.time_ns() // 1_000}", ".times")
    if end != "succeeded":
        raise ValueError(f"number {number}: {end}")
    return number


def killed() -> None:
    """Takes its own process down."""
    job = get_current_job()
    assert job is not None
    tell(f"started {job.id} 0")
    tell(f"failed {job.id} 0")
    os.kill(os.getpid(), 9)


def hold(gate: str) -> None:
    """Waits until the file `gate` is there, for two minutes at most."""
    for _ in range(12_000):
        if Path(gate).exists():
            return
        time.sleep(0.01)
    raise TimeoutError(gate)
