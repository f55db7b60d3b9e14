"""A Celery application whose tasks count the truth themselves, outside z4j.

Each run appends one line when it begins and one when it ends to the file `TRUTH_FILE`; a line is
one `write` to a file opened for appending, so lines of many processes never mix.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

import z4j_celery.auto  # noqa: F401

app = Celery("truth", broker=os.environ["BROKER_URL"], backend=os.environ.get("RESULT_URL"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_acks_late=False,
    worker_prefetch_multiplier=8,
    task_default_queue="truth",
)


def tell(what: str, task_id: str, attempt: int) -> None:
    line = f"{what} {task_id} {attempt}\n".encode()
    handle = os.open(os.environ["TRUTH_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


@app.task(name="truth.work", bind=True, max_retries=5)
def work(self: Any, number: int) -> int:
    """Every seventh fails, every fifth is retried once or twice, the others succeed."""
    attempt = self.request.retries
    tell("started", self.request.id, attempt)
    if number % 5 == 0 and attempt < 1 + number % 2:
        tell("retried", self.request.id, attempt)
        raise self.retry(countdown=0.01)
    if number % 7 == 0:
        tell("failed", self.request.id, attempt)
        raise ValueError(f"number {number} fails")
    tell("succeeded", self.request.id, attempt)
    return number


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


@app.task(name="truth.sleep")
def sleep(seconds: float) -> float:
    """Takes its time."""
    import time

    time.sleep(seconds)
    return seconds
