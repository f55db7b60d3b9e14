"""Keep a waiting task from starting, and say honestly what is known of it.

Celery's revoke answers "ok" for any id, known or not, and is kept only in the memory of workers.
"""

from __future__ import annotations

from typing import Any

from celery import states
from celery.worker import state as worker_state

from z4j_celery.actions.local import active_request, on_consumer_thread, panel, request_of
from z4j_celery.actions.remote import Holders, holders, recorded_state, revoke
from z4j_celery.apps import choose
from z4j_celery.cancelled import Cancelled
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult

_RUNNING = "The task has begun to run on {worker}, so a cancel has no effect. Terminate it instead."


def cancel(process: Process, cancelled: Cancelled, task: TaskRef) -> CancelResult:
    """Revoke the task in this worker, if it is one, and in all that listen."""
    app = choose(
        process.apps(),
        f"the task {task.name!r}",
        lambda app: task.name in app.tasks,
    )
    task_id, consumer = task.task_id, process.consumer
    if consumer is not None and active_request(task_id) is not None:
        raise ActionError(_RUNNING.format(worker=consumer.hostname))
    if consumer is not None and request_of(task_id) is not None:
        _revoke_here(consumer, cancelled, task_id)
        revoke(app, task_id)
        return CancelResult(outcome=_held_by(consumer.hostname))
    found = _look(app, task_id)
    if consumer is not None:
        _revoke_here(consumer, cancelled, task_id)
    elif not found.workers:
        raise ActionError(
            "No Celery worker answered, so nobody would refuse the task. "
            "Start a worker, or try again when one is there."
        )
    revoke(app, task_id)
    own = [consumer.hostname] if consumer is not None else []
    return CancelResult(outcome=_outcome(found, sorted({*found.workers, *own})))


def _look(app: Any, task_id: str) -> Holders:
    """Ask the other workers and the result backend; refuse for a task that is not waiting."""
    state = recorded_state(app, task_id)
    if state in (states.SUCCESS, states.FAILURE):
        raise ActionError(f"The task has already ended: Celery's result is {state}.")
    found = holders(app, task_id)
    worker = found.running()
    if worker is not None:
        raise ActionError(_RUNNING.format(worker=worker))
    return found


def _revoke_here(consumer: Any, cancelled: Cancelled, task_id: str) -> None:
    cancelled.add(task_id)
    has_run, _ = on_consumer_thread(consumer, lambda: panel(consumer, "revoke", task_id=task_id))
    if not has_run:
        # A solo worker is busy; nothing can start before it looks at this list.
        worker_state.revoked.add(task_id)


def _outcome(found: Holders, workers: list[str]) -> str:
    holder = found.waiting()
    if holder is not None:
        return _held_by(holder)
    return (
        "No worker holds the task now. If it comes out of its queue, it is refused by "
        f"{_listed(workers)}. A worker that starts later learns this from one of them, "
        "not from the broker."
    )


def _held_by(worker: str) -> str:
    return f"The task waits in {worker}, which will drop it when its turn comes."


def _listed(workers: list[str]) -> str:
    if len(workers) <= 3:
        return ", ".join(workers)
    return f"{workers[0]}, {workers[1]} and {len(workers) - 2} more workers"
