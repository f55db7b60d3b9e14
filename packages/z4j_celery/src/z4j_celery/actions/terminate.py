"""End a running task by force: possible where each task has a process, in the prefork pool."""

from __future__ import annotations

from typing import Any

from z4j_celery.actions.local import (
    active_request,
    on_consumer_thread,
    panel,
    running_consumer,
)
from z4j_celery.actions.remote import holders, pool_of, revoke
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult

SIGNAL = "SIGTERM"
_ENDED = "The task no longer runs; nothing was terminated."


def absence(process: Process) -> str | None:
    """Return why a running task cannot be terminated from this process, None if it can."""
    if process.role != "worker":
        return "Only a worker can terminate a task, and this process is none."
    if process.is_prefork:
        return None
    return (
        f"The pool of this worker ({process.pool}) cannot end a single task; "
        "start the worker with --pool prefork."
    )


def terminate(process: Process, task: TaskRef) -> CancelResult:
    """Send SIGTERM to the process that runs the task, here or in another worker."""
    consumer = running_consumer(process)
    if active_request(task.task_id) is None:
        return _terminate_elsewhere(process.app, consumer.hostname, task.task_id)
    has_run, pid = on_consumer_thread(consumer, lambda: _terminate_here(consumer, task.task_id))
    if not has_run:
        raise ActionError("The worker is too busy to act; try again.")
    if pid is None:
        raise ActionError(_ENDED)
    return CancelResult(outcome=f"{SIGNAL} was sent to process {pid} of {consumer.hostname}.")


def _terminate_here(consumer: Any, task_id: str) -> int | None:
    request = active_request(task_id)
    if request is None:
        return None
    panel(consumer, "revoke", task_id=task_id, terminate=True, signal=SIGNAL)
    pid: int = request.worker_pid
    return pid


def _terminate_elsewhere(app: Any, own_name: str, task_id: str) -> CancelResult:
    worker = holders(app, task_id).running()
    if worker is None or worker == own_name:
        raise ActionError("No worker that answers runs this task; it may have ended.")
    pool = pool_of(app, worker)
    if "prefork" not in pool:
        raise ActionError(f"{worker} runs the task in the pool {pool}, which cannot end it.")
    revoke(app, task_id, terminate=True, signal=SIGNAL, destination=[worker])
    return CancelResult(outcome=f"{worker} was told to send {SIGNAL} to the task's process.")
