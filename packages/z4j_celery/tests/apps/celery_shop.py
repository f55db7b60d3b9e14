"""A Celery application whose engine reports to a recording host."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task, chord
from celery.exceptions import Ignore, Reject
from celery.worker.request import Request
from recording import RecordingHost

from z4j_celery.actions import probe, remote
from z4j_celery.engine import CeleryEngine


def attach() -> None:
    host = RecordingHost(Path(os.environ["RECORD"]))
    host.engine = CeleryEngine()
    host.engine.attach(host)


if os.environ.get("ATTACH") == "early":
    attach()

# How long a worker waits for the answers of others, for tests in which one has to come.
if seconds := os.environ.get("ANSWER_WAIT_S"):
    probe.ANSWER_WAIT_S = remote.ANSWER_WAIT_S = float(seconds)

broker = os.environ["BROKER_URL"]
app = Celery("shop", broker=broker, backend=os.environ.get("RESULTS", broker) or None)
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=4,
    task_default_queue="shop",
    broker_transport_options={"visibility_timeout": 3600},
    beat_schedule={"tick": {"task": "celery_shop.add", "schedule": 0.3, "args": (1, 1)}},
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_pool_restarts="RESTARTS" in os.environ,
)

if os.environ.get("ATTACH") == "late":
    attach()


class Quota(Exception):
    """Needs two arguments, so that it cannot be pickled the usual way."""

    def __init__(self, user: str, limit: int) -> None:
        super().__init__(f"{user} is over {limit}")


class OwnRequest(Request):
    """A custom request class."""


class OwnRequestTask(Task):
    Request = OwnRequest


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def echo(value: Any, **more: Any) -> Any:
    return value


@app.task(send_events=False)
def muted() -> str:
    return "quiet"


@app.task(base=OwnRequestTask)
def own_request() -> str:
    return "own"


@app.task
def fail(message: str, *, password: str | None = None) -> None:
    raise ValueError(message)


@app.task
def quota() -> None:
    raise Quota("anna", 3)


@app.task(bind=True, max_retries=3)
def flaky(self: Any, times: int) -> int:
    if self.request.retries < times:
        raise self.retry(exc=KeyError("k"), countdown=0.01)
    return self.request.retries


@app.task
def mutate(items: list[int]) -> None:
    items.append(99)
    raise ValueError("after a change")


@app.task
def ignore() -> None:
    raise Ignore


@app.task(bind=True)
def replace(self: Any) -> Any:
    raise self.replace(add.s(20, 22))


@app.task
def reject() -> None:
    raise Reject("not for me", requeue=False)


@app.task(acks_late=True)
def reject_late() -> None:
    raise Reject("not for me", requeue=False)


@app.task
def requeue_early() -> None:
    raise Reject("too late", requeue=True)


@app.task(acks_late=True)
def requeue_once(path: str) -> str:
    flag = Path(path)
    if not flag.exists():
        flag.touch()
        raise Reject("another time", requeue=True)
    return "done"


@app.task
def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def wait_for(gate: str) -> None:
    """Wait until the file `gate` is there, for two minutes at most."""
    for _ in range(12_000):
        if Path(gate).exists():
            return
        time.sleep(0.01)
    raise TimeoutError(gate)


@app.task
def hold(gate: str) -> None:
    wait_for(gate)


@app.task(acks_late=True)
def hold_late(gate: str) -> None:
    wait_for(gate)


@app.task(time_limit=1)
def hard_limit() -> None:
    time.sleep(30)


@app.task(soft_time_limit=1)
def soft_limit() -> None:
    time.sleep(30)


@app.task
def killed() -> None:
    os._exit(9)


@app.task(acks_late=True, reject_on_worker_lost=True)
def killed_once(path: str) -> str:
    flag = Path(path)
    if not flag.exists():
        flag.touch()
        os._exit(9)
    return "second life"


@app.task
def spawn(number: int) -> str:
    return add.delay(number, 1).id


@app.task
def total(values: list[int]) -> int:
    return sum(values)


@app.task
def add_up(count: int) -> str:
    return chord([add.s(n, n) for n in range(count)])(total.s()).id
