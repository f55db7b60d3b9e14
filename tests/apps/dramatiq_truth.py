"""A Dramatiq application whose tasks count the truth themselves, as those of `celery_truth.py`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from telling import publish, tell, tell_charge  # noqa: F401

import z4j_dramatiq.auto  # noqa: F401


class Due(dramatiq.Middleware):
    """Notes on a delayed message when it is due: Dramatiq takes that away before it runs."""

    def before_enqueue(self, broker: Any, message: Any, delay: int | None) -> None:
        if delay is not None:
            message.options["due"] = time.time_ns() + delay * 1_000_000


broker = RedisBroker(url=os.environ["BROKER_URL"])
broker.add_middleware(CurrentMessage())
broker.add_middleware(Due())
dramatiq.set_broker(broker)


@dramatiq.actor(min_backoff=5, max_backoff=10, max_retries=2)
def work(number: int) -> None:
    """Every seventh fails at once, every fifth is retried once or twice, the others succeed."""
    began = time.time_ns()
    message = CurrentMessage.get_current_message()
    assert message is not None
    task_id, attempt = message.message_id, message.options.get("retries", 0)
    tell("started", task_id, attempt, began, message.options.get("due", 0))
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
def charge(order: str, *, password: str) -> None:
    """Tells the arguments that it really got, and fails."""
    tell_charge(order, password)
    raise ValueError("declined")


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


def send(number: int) -> str:
    """Publish one."""
    return str(work.send(number).message_id)
