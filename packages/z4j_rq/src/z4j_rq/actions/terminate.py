"""End a running job by force: possible where the job has a process of its own."""

from __future__ import annotations

import time
from typing import Any

from rq.command import send_stop_job_command
from rq.worker import Worker

from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult
from z4j_rq.actions.reach import existing, reach
from z4j_rq.facts import state_of
from z4j_rq.observed import CAN_STOP
from z4j_rq.process import Process

ANSWER_WAIT_S = 5.0
_SIMPLE = (
    "This worker (SimpleWorker) runs jobs in its own process and cannot end a single one; "
    "start it with --worker-class z4j_rq.Worker."
)
_UNSURE = (
    "The job runs on {worker}, of which is not known that it can stop a job: on a SimpleWorker "
    "RQ's command does harm. Start that worker with --worker-class z4j_rq.Worker."
)


def absence(process: Process) -> str | None:
    """Return why a running job cannot be ended from this process, None if it can."""
    return _SIMPLE if process.worker is not None and process.is_simple else None


def terminate(process: Process, task: TaskRef) -> CancelResult:
    """Tell the job's worker to kill the job's process, and wait until RQ says so."""
    with reach(process, task.queue) as (client, known):
        job = existing(client, known, task)
        if state_of(job) != "started" or not job.worker_name:
            raise ActionError(f"The job does not run: RQ says {state_of(job)}. Nothing was done.")
        worker = str(job.worker_name)
        if not client.hget(Worker.redis_worker_namespace_prefix + worker, CAN_STOP):
            raise ActionError(_UNSURE.format(worker=worker))
        send_stop_job_command(client, job.id, serializer=job.serializer)
        return _outcome(job, worker)


def _outcome(job: Any, worker: str) -> CancelResult:
    deadline = time.monotonic() + ANSWER_WAIT_S
    while time.monotonic() < deadline:
        job.get_status(refresh=True)
        if state_of(job) == "stopped":
            return CancelResult(outcome=f"{worker} killed the job's process; RQ says stopped.")
        if state_of(job) != "started":
            raise ActionError(f"The job ended by itself before: RQ says {state_of(job)}.")
        time.sleep(0.05)
    return CancelResult(
        outcome=f"{worker} was told to stop the job; within {ANSWER_WAIT_S:.0f} s it has not "
        "said that it did."
    )
