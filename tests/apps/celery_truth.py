"""A Celery application whose tasks count the truth themselves: a line when a run begins, and one
when it ends.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from celery import Celery, signals
from telling import publish, tell, tell_charge  # noqa: F401

import z4j_celery.auto  # noqa: F401

app = Celery("truth", broker=os.environ["BROKER_URL"], backend=os.environ.get("RESULT_URL"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_acks_late=False,
    worker_prefetch_multiplier=8,
    task_default_queue="truth",
    worker_pool_restarts=True,
    broker_transport_options={"visibility_timeout": float(os.environ.get("VISIBILITY_S", 3600))},
)


@signals.worker_ready.connect
def _ready(**_: Any) -> None:
    """Say so past the log, of which a busy worker writes none."""
    os.write(2, b" ready.\n")


@app.task(name="truth.work", bind=True, max_retries=5)
def work(self: Any, number: int) -> int:
    """Every seventh fails, every fifth is retried once or twice, the others succeed."""
    began, attempt, eta = time.time_ns(), self.request.retries, self.request.eta
    due = datetime.fromisoformat(eta).timestamp() * 1e9 if eta else 0
    tell("started", self.request.id, attempt, began, int(due))
    time.sleep(0.002)
    if number % 5 == 0 and attempt < 1 + number % 2:
        tell("retried", self.request.id, attempt)
        try:
            raise self.retry(countdown=0.01)
        finally:
            tell("left", self.request.id, attempt)  # publishing again belongs to the run
    if number % 7 == 0:
        tell("failed", self.request.id, attempt)
        raise ValueError(f"number {number} fails")
    tell("succeeded", self.request.id, attempt)
    return number


def send(number: int) -> str:
    """Publish one."""
    return str(work.delay(number).id)


@app.task(name="truth.sign_in")
def sign_in(user: str, *, password: str, deep: dict[str, Any] | None = None) -> str:
    """Takes a secret and succeeds."""
    return user


@app.task(name="truth.leak")
def leak(secret: str, *, api_key: str = "") -> None:
    """Raises with a secret in the message, in the traceback and in a URL."""
    url = f"postgresql://shop:{secret}@db.example/shop"
    raise RuntimeError(f"cannot connect: password={secret} url={url}")


@app.task(name="truth.fail")
def fail(message: str) -> None:
    """Fails."""
    raise ValueError(message)


@app.task(name="truth.charge", bind=True)
def charge(self: Any, order: str, *, password: str) -> None:
    """Tells the arguments that it really got, as a hash, and fails."""
    tell_charge(order, password)
    raise ValueError("declined")


@app.task(name="truth.sleep")
def sleep(seconds: float) -> float:
    """Takes its time."""
    time.sleep(seconds)
    return seconds


@app.task(name="truth.hold")
def hold(gate: str) -> None:
    """Waits until the file `gate` is there, for two minutes at most; tells its process first."""
    Path(f"{gate}.pid").write_text(str(os.getpid()))
    for _ in range(12_000):
        if Path(gate).exists():
            return
        time.sleep(0.01)
    raise TimeoutError(gate)


@app.task(name="truth.nap", bind=True)
def nap(self: Any, seconds: float) -> None:
    """Takes its time, and tells the truth about it."""
    tell("started", self.request.id, 0)
    time.sleep(seconds)
    tell("succeeded", self.request.id, 0)


@app.task(name="truth.second_life", bind=True, acks_late=True)
def second_life(self: Any) -> str:
    """Waits to be killed; when it is delivered again it succeeds."""
    flag = Path(os.environ["TRUTH_FILE"] + self.request.id)
    tell("started", self.request.id, 0)
    if not flag.exists():
        flag.touch()
        time.sleep(600)
    tell("succeeded", self.request.id, 0)
    return "second life"


@app.task(name="truth.last_words")
def last_words() -> str:
    """Succeeds, and takes its worker down before anybody hears of it."""
    time.sleep(1)  # so that its start is told
    return "last words"


@signals.task_success.connect(sender=last_words)
def _fall(**_: Any) -> None:
    """The result is stored now, but the parent has not been told."""
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(9)
