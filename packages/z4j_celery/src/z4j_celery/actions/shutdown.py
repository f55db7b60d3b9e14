"""Stop this worker as Celery's warm shutdown does."""

from __future__ import annotations

from celery.worker import state

from z4j_celery.actions.local import running_consumer
from z4j_celery.process import Process
from z4j_core.plugins import CancelResult


def shutdown(process: Process) -> CancelResult:
    """Have the worker stop; it exits when its tasks have ended.

    Celery's own command raises `WorkerShutdown` in the thread that calls it, which here would be
    the agent's, and the worker would go on. Its loop looks at this flag.
    """
    consumer = running_consumer(process)
    state.should_stop = 0
    consumer.call_soon(bool)  # so that its loop, which may sleep for ten seconds, looks
    return CancelResult(
        outcome=f"{consumer.hostname} takes no more tasks, lets those that run end, and exits "
        "with 0. Whatever supervises it may start it again."
    )
