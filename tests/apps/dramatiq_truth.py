"""A Dramatiq application whose tasks count the truth themselves, outside z4j.

Lines as in `celery_truth.py`, each with the time in microseconds as its last word.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

import z4j_dramatiq.auto  # noqa: F401

broker = RedisBroker(url=os.environ["BROKER_URL"])
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


def tell(what: str, task_id: str, attempt: int) -> None:
    line = f"{what} {task_id} {attempt} {time.time_ns() // 1000}\n".encode()
    handle = os.open(os.environ["TRUTH_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


@dramatiq.actor(min_backoff=5, max_backoff=10, max_retries=2)
def work(number: int) -> None:
    """Every seventh fails at once, every fifth is retried once or twice, the others succeed."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    task_id, attempt = message.message_id, message.options.get("retries", 0)
    tell("started", task_id, attempt)
    time.sleep(0.002)
    if number % 5 == 0 and attempt < 1 + number % 2:
        tell("retried", task_id, attempt)
        raise KeyError(f"number {number} is tried again")
    if number % 7 == 0:
        if attempt < 2:
            message.options["max_retries"] = 0
        tell("failed", task_id, attempt)
        raise ValueError(f"number {number} fails")
    tell("succeeded", task_id, attempt)


@dramatiq.actor(max_retries=0)
def hold(gate: str) -> None:
    """Waits until the file `gate` is there, for two minutes at most."""
    message = CurrentMessage.get_current_message()
    assert message is not None
    tell("started", message.message_id, 0)
    for _ in range(12_000):
        if Path(gate).exists():
            tell("succeeded", message.message_id, 0)
            return
        time.sleep(0.01)
    raise TimeoutError(gate)
