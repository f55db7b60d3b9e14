"""Run a job again: as a new one, with the arguments it had or with others, or the very same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rq import Queue
from rq.exceptions import DeserializationError, InvalidJobOperation
from rq.job import Job, JobStatus
from rq.scheduler import RQScheduler

from z4j_agent.facts import printed
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import EditedRetryParams, RetryParams, RetryResult, recorded_arguments
from z4j_rq.actions.reach import existing, fetch, reach
from z4j_rq.facts import state_of
from z4j_rq.original import Original, dress, original_of, unpack
from z4j_rq.process import Known, Process
from z4j_rq.stamp import Stamp, put_stamp

MAX_DELAY_S = 366 * 86_400
MAX_QUEUE = 255
_EDITED = "Use the edited retry and give the arguments"


def retry(process: Process, task: TaskRef, params: RetryParams) -> RetryResult:
    """Enqueue a new job with the very arguments of the old one.

    They come from the job as Redis has it, else from what the server keeps sealed, else from the
    record.
    """
    with reach(process, task.queue) as (client, known):
        job = fetch(client, known, task)
        _refuse_running(job)
        original = original_of(job) if job is not None else _sealed(process, task)
        if original is None:
            new = _new(client, known, task, _name(task), *recorded_arguments(task))
        else:
            new = _new(client, known, task, "", (), {})
            dress(new, original)
        return _publish(client, known, task, new, original, params)


def retry_edited(process: Process, task: TaskRef, params: EditedRetryParams) -> RetryResult:
    """Enqueue a new job with the arguments given."""
    with reach(process, task.queue) as (client, known):
        job = fetch(client, known, task)
        _refuse_running(job)
        original = None if job is None else original_of(job)
        name, instance = _function(job, task)
        new = _new(client, known, task, name, params.args, params.kwargs)
        new.instance = instance
        data = new.data
        if original is not None:
            dress(new, original)
            new.data = data
            new.description = None
        return _publish(client, known, task, new, original, params)


def requeue(process: Process, task: TaskRef) -> RetryResult:
    """Take the job out of the registry of failed jobs and put it into its queue."""
    with reach(process, task.queue) as (client, known):
        job = existing(client, known, task)
        try:
            job.requeue()
        except InvalidJobOperation:
            raise ActionError(
                f"The job is not among RQ's failed jobs: it is {state_of(job)}. "
                "Retry publishes a new job instead."
            ) from None
        return RetryResult(task_id=task.task_id)


def _refuse_running(job: Any) -> None:
    if job is not None and state_of(job) == "started":
        raise ActionError("The job is running now; wait for its end or terminate it first.")


def _sealed(process: Process, task: TaskRef) -> Original | None:
    data = process.host.original_of("rq", task)
    if data is None:
        return None
    try:
        return unpack(data)
    except ValueError as error:
        raise ActionError(
            f"The sealed job was opened and cannot be read ({error}). A newer z4j-rq may have "
            f"sealed it: update this one. {_EDITED}."
        ) from None


def _function(job: Any, task: TaskRef) -> tuple[str, Any]:
    """Return the function's name, and the object whose method it is."""
    if job is None:
        return _name(task), None
    try:
        return str(job.func_name), job.instance
    except DeserializationError:
        raise ActionError(
            "The old job cannot be read here: its arguments need modules that this process does "
            "not have, or another serializer. Enqueue it from your application."
        ) from None


def _name(task: TaskRef) -> str:
    if not task.name:
        raise ActionError(
            "The function of this job is not recorded, so it cannot be published again. "
            "Enqueue it from your application."
        )
    return task.name


def _new(
    client: Any, known: Known, task: TaskRef, name: str, args: Any, kwargs: dict[str, Any]
) -> Any:
    return Job.create(
        name or "z4j",
        args=list(args),
        kwargs=kwargs,
        id=str(uuid4()),
        connection=client,
        serializer=known.serializer_of(task.queue),
    )


def _publish(
    client: Any,
    known: Known,
    task: TaskRef,
    job: Any,
    original: Original | None,
    params: RetryParams | EditedRetryParams,
) -> RetryResult:
    name = _queue(params.queue) or (original.queue if original else None) or task.queue
    if not name:
        raise ActionError("The queue of this job is not recorded. Say which one to use.")
    parent, root = (original.parent, original.root) if original else (None, None)
    stamp = Stamp(parent=parent, root=root, source=task.task_id, retries=job.retries_left)
    put_stamp(job, stamp)
    queue = Queue(name, connection=client, serializer=known.serializer_of(name))
    delay = _delay(client, name, params.delay_s)
    try:
        if delay is None:
            queue.enqueue_job(job)
        else:
            job._status = JobStatus.SCHEDULED  # older versions of RQ leave this to the caller
            queue.schedule_job(job, datetime.now(UTC) + delay)
    except (TypeError, ValueError, AttributeError) as error:
        raise ActionError(
            f"The job could not be published ({type(error).__name__}: {printed(error)}). "
            "Check the arguments, then try again."
        ) from error
    return RetryResult(task_id=job.id)


def _delay(client: Any, queue: str, delay_s: float | None) -> timedelta | None:
    if delay_s is None or delay_s == 0:
        return None
    if not 0 < delay_s <= MAX_DELAY_S:
        raise ActionError(f"delay_s must be from 0 to {MAX_DELAY_S} seconds.")
    if not client.exists(RQScheduler.get_locking_key(queue)):
        raise ActionError(
            f"No scheduler of RQ serves the queue {queue!r}, so nothing would ever enqueue the "
            "job. Start a worker of that queue with --with-scheduler, or retry without a delay."
        )
    return timedelta(seconds=delay_s)


def _queue(queue: str | None) -> str | None:
    if queue is not None and not 0 < len(queue) <= MAX_QUEUE:
        raise ActionError(f"The name of the queue must have 1 to {MAX_QUEUE} characters.")
    return queue
