"""Keep a waiting job from starting, and say honestly what is known of it.

RQ's cancel answers the same for a running job, which goes on and becomes finished.
"""

from __future__ import annotations

from typing import Any

from rq.exceptions import InvalidJobOperation

from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult
from z4j_rq.actions.reach import existing, reach
from z4j_rq.cancelled import WAITING
from z4j_rq.facts import state_of
from z4j_rq.process import Process

_RUNNING = "The job has begun to run on {worker}, so a cancel has no effect. Terminate it instead."


def cancel(process: Process, task: TaskRef) -> CancelResult:
    """Cancel the job if it waits, in its queue or for its time or for other jobs."""
    with reach(process, task.queue) as (client, known):
        job = existing(client, known, task)
        state = state_of(job)
        if state == "started":
            raise ActionError(_RUNNING.format(worker=job.worker_name or "a worker"))
        if state == "canceled":
            return CancelResult(outcome="The job was cancelled before.")
        if state not in WAITING:
            raise ActionError(f"The job has already ended: RQ says {state}.")
        if state == "queued" and job.get_position() is None:
            raise ActionError(
                "A worker has just taken the job out of its queue. Terminate it once it runs."
            )
        return _cancel(job, state)


def _cancel(job: Any, state: str) -> CancelResult:
    try:
        job.cancel()
    except InvalidJobOperation:
        raise ActionError("Somebody else cancelled the job at the same moment.") from None
    job.get_status(refresh=True)
    if state_of(job) != "canceled":
        raise ActionError(_RUNNING.format(worker=job.worker_name or "a worker"))
    outcome = f"The job was {state} and is cancelled; no worker will take it."
    dependents = len(job.dependent_ids)
    if dependents:
        outcome += f" {dependents} dependent job{'s' * (dependents != 1)} will wait on, for ever."
    return CancelResult(outcome=outcome)
