"""What this very worker holds, and how to act on it in the thread that owns it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from celery.utils.collections import AttributeDict
from celery.worker import state
from celery.worker.control import Panel

from z4j_celery.process import Process
from z4j_core.capability import ActionError

CONSUMER_WAIT_S = 3.0


def request_of(task_id: str) -> Any:
    """Return the request that this worker holds for a task, or None."""
    return state.requests.get(task_id)


def active_request(task_id: str) -> Any:
    """Return the request of a task that runs in this worker, or None."""
    request = state.requests.get(task_id)
    return request if request is not None and request in state.active_requests else None


def panel(consumer: Any, command: str, **arguments: Any) -> Any:
    """Carry out one of Celery's own control commands in this worker, without the broker.

    To be called on the consumer's thread.
    """
    context = AttributeDict(
        app=consumer.app, hostname=consumer.hostname, consumer=consumer, tset=set
    )
    reply = Panel.data[command](context, **arguments)
    if isinstance(reply, dict) and "error" in reply:
        raise ActionError(f"Celery refused: {reply['error']}")
    return reply


def on_consumer_thread(consumer: Any, work: Callable[[], Any]) -> tuple[bool, Any]:
    """Run `work` on the worker's main thread; return whether it ran in time, and its result.

    Work that begins too late is not done. A solo worker's thread is busy while a task runs.
    """
    begun = threading.Lock()
    done = threading.Event()
    outcome: list[Any] = []
    failure: list[Exception] = []

    def run() -> None:
        if not begun.acquire(blocking=False):
            return
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 - raised again on the thread that asked
            failure.append(error)
        finally:
            done.set()

    consumer.call_soon(run)
    if not done.wait(CONSUMER_WAIT_S):
        if begun.acquire(blocking=False):
            return False, None
        done.wait()
    if failure:
        raise failure[0]
    return True, outcome[0]


def running_consumer(process: Process) -> Any:
    """Return this worker's consumer; raise `ActionError` if it has none now."""
    if process.consumer is None:
        raise ActionError("This worker is not ready or is shutting down; try again.")
    return process.consumer


def in_worker(process: Process, work: Callable[[Any], Any]) -> Any:
    """Have `work` done with the consumer on its thread, or raise `ActionError`; return it."""
    consumer = running_consumer(process)
    has_run, _ = on_consumer_thread(consumer, lambda: work(consumer))
    if not has_run:
        raise ActionError(
            "The worker is busy and did not take the command; nothing was changed. Try again."
        )
    return consumer
