"""Jobs that real workers run."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from rq import Queue, get_current_job
from rq.worker import Worker as Plain

from z4j_core.testing.marks import Marks
from z4j_rq.observed import ObservedWorker

try:
    from rq import SpawnWorker
except ImportError:  # RQ 2.0
    SpawnWorker = None


def add(x: int, y: int = 0) -> int:
    return x + y


def fail(message: str, *, password: str | None = None) -> None:
    raise ValueError(message)


def sign_in(user: str, password: str) -> str:
    return user


def flaky(marks: str, times: int) -> int:
    """Fails so many times, each time with another message."""
    with Path(marks).open("a") as file:
        file.write("x")
    runs = len(Path(marks).read_text())
    if runs <= times:
        raise KeyError(f"run {runs}")
    return runs


def again(maximum: int) -> Any:
    """Returns a Retry, always."""
    from rq import Retry

    return Retry(max=maximum)


def hold(gate: str) -> str:
    """Waits until the file `gate` is there, for two minutes at most."""
    Path(f"{gate}.begun").touch()
    for _ in range(12_000):
        if Path(gate).exists():
            return "let go"
        time.sleep(0.01)
    raise TimeoutError(gate)


def marked(folder: str, task_id: str, is_held: bool) -> None:
    Marks(folder).run(task_id, is_held=is_held)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def die(code: int | None) -> None:
    """Ends its process without a word: by SIGKILL, or with an exit code."""
    if code is None:
        os.kill(os.getpid(), 9)
    else:
        os._exit(code)


def enqueue(url: str, count: int) -> list[str]:
    """Enqueues other jobs."""
    with redis.Redis.from_url(url) as client:
        queue = Queue("shop", connection=client)
        return [queue.enqueue(add, n, 1).id for n in range(count)]


def own_id() -> str | None:
    job = get_current_job()
    return None if job is None else job.id


class Till:
    """Has a method that can be enqueued."""

    def __init__(self, total: int) -> None:
        self.total = total

    def pay(self, amount: int) -> int:
        return self.total + amount


if SpawnWorker is not None:

    class Spawning(ObservedWorker, SpawnWorker):
        """RQ's worker that runs jobs in spawned processes, with an ear in the main one."""


class Quick(ObservedWorker, Plain):
    """Looks after its horse every second."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "job_monitoring_interval": 1})


SHORT = timedelta(seconds=1)


def noted(job: Any, connection: Any, *exc_info: Any) -> None:
    """A callback on failure."""
