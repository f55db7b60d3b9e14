"""One run of a job in this worker, and the events that tell of it."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Any

from z4j_agent.facts import exception_of, micros, now_us, text_of, traceback_of
from z4j_core.events import Kind, TaskEvent
from z4j_rq.facts import arguments_of, state_of, task_id_of
from z4j_rq.guard import guarded
from z4j_rq.original import pack
from z4j_rq.process import Process
from z4j_rq.publish import Publications
from z4j_rq.slate import ENDED, RECEIVED, STARTED, Slate
from z4j_rq.stamp import put_runs, relations, runs_of
from z4j_rq.stored import end_of

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
AGAIN = frozenset({"queued", "scheduled", "rate_limited", "deferred"})
"""States of a job, after a run, in which it waits for the next one."""
_STOPPED = "The job was stopped by a command: RQ killed the process that ran it."


class Run:
    """What is known of one run. A fork copies it, so both processes know where the run stands."""

    __slots__ = (
        "attempt",
        "began",
        "due",
        "error",
        "job_id",
        "name",
        "queue",
        "received_at",
        "run_us",
        "started_at",
    )

    def __init__(self, job_id: str, attempt: int, queue: str | None) -> None:
        self.job_id = job_id
        self.attempt = attempt
        self.queue = queue
        self.name: str | None = None
        self.received_at = now_us()
        self.started_at: int | None = None
        self.began = 0
        self.run_us: int | None = None
        self.error: ExcInfo | None = None
        self.due: int | None = None


class Runs:
    """Turns what a worker does with its job into events, each once. Used by the worker's thread.

    The process that runs the job tells what it does, and marks it on the slate; the process that
    forked it tells what is missing there.
    """

    def __init__(self, process: Process, publications: Publications) -> None:
        self._process = process
        self._publications = publications
        self._slate = Slate()
        self._slate_pid = os.getpid()
        self._run: Run | None = None

    @property
    def current(self) -> str | None:
        """The id of the job that this worker runs now."""
        run = self._run
        return None if run is None else run.job_id

    def begin(self, job: Any, queue: Any) -> None:
        """The worker has taken a job; nothing has been forked yet."""
        with guarded("Runs.begin"):
            self._run = None
            task_id = task_id_of(job)
            if self._slate_pid != os.getpid():  # one of a pool's workers: their slates are apart
                self._slate, self._slate_pid = Slate(), os.getpid()
            if task_id is not None:
                self._slate.clear()
                self._run = Run(task_id, runs_of(job), text_of(queue.name))
                put_runs(job, runs_of(job) + 1)

    def on_perform(self, job: Any) -> None:
        """This process begins with the job: its function may be read, and is not imported yet."""
        run = self._of(job)
        if run is None:
            return
        self._publications.running = job
        with guarded("Runs.on_perform"):
            try:
                run.name = text_of(job.func_name)
            except Exception:  # noqa: BLE001 - RQ will tell it in its own words, as a failure
                run.name = None
            self._received(run, job)

    def on_call(self, job: Any) -> None:
        """The function is about to be called."""
        run = self._of(job)
        if run is None or run.started_at is not None:
            return
        with guarded("Runs.on_call"):
            # With the arguments: whether they have to be sealed is seen by their previews.
            data = {**arguments_of(job), "original": lambda: pack(job)}
            data |= {"pid": os.getpid(), **_origin(job)}
            run.started_at = now_us()
            self._emit(run, Kind.STARTED, run.started_at, data, STARTED)
            run.began = time.monotonic_ns()

    def on_left(self, job: Any) -> None:
        """The function has been left; RQ goes on to handle the end."""
        run = self._of(job)
        if run is not None and run.began and run.run_us is None:
            run.run_us = (time.monotonic_ns() - run.began) // 1_000

    def on_spawned(self, job: Any, pid: int) -> None:
        """The job runs in a process that has nothing of us, which began just now."""
        run = self._of(job)
        if run is not None:
            with guarded("Runs.on_spawned"):
                self._received(run, job)
                run.started_at = now_us()
                data = {"pid": pid, **_origin(job)}
                self._emit(run, Kind.STARTED, run.started_at, data, STARTED)

    def on_scheduled(self, job: Any, due: int | None) -> None:
        """The job, perhaps the one that runs, was put off."""
        run = self._of(job)
        if run is not None:
            run.due = due

    def on_exception(self, job: Any, info: ExcInfo) -> None:
        """RQ handles what the job raised."""
        run = self._of(job)
        if run is not None:
            run.error = info

    def succeeded(self, job: Any) -> None:
        """RQ has stored the success."""
        run = self._of(job)
        if run is not None:
            with guarded("Runs.succeeded"):
                at = micros(job.ended_at) or now_us()
                self._end(run, Kind.SUCCEEDED, at, {"result": job._result})

    def retry_returned(self, job: Any) -> None:
        """The job returned a `Retry`, and RQ has obeyed or refused it."""
        run = self._of(job)
        if run is None:
            return
        with guarded("Runs.retry_returned"):
            at = micros(job.ended_at) or now_us()
            if state_of(job) in AGAIN:
                data = {"reason": "The job returned Retry.", **_next(run, job)}
                self._end(run, Kind.RETRIED, at, data)
            else:
                message = "The job returned Retry once more than its Retry allows."
                error = {"type": "MaxRetriesExceeded", "message": message}
                self._end(run, Kind.FAILED, at, {"exception": error})

    def failed(self, job: Any, exc_string: object, *, was_stopped: bool) -> None:
        """RQ has stored the failure, or that the job is to run again, or that it was stopped."""
        run = self._of(job)
        with guarded("Runs.failed"):
            if run is None:
                self._failed_unrun(job, exc_string)
                return
            at = micros(job.ended_at) or now_us()
            if not self._slate.has(RECEIVED):
                self._received(run, job)
            if was_stopped:
                self._end(run, Kind.CANCELLED, at, {"reason": _STOPPED})
                return
            data = _error(run, exc_string)
            if state_of(job) in AGAIN:
                self._end(run, Kind.RETRIED, at, data | _next(run, job))
            else:
                self._end(run, Kind.FAILED, at, data)

    def finish(self, worker: Any, job: Any, *, was_stored: bool = True) -> None:
        """The worker is done with the job: tell what nobody has told, as far as Redis knows it."""
        run = self._of(job)
        self._publications.running = self._run = None
        if run is None or self._slate.has(ENDED) or not was_stored:
            return
        with guarded("Runs.finish"):
            if not self._slate.has(RECEIVED):
                self._received(run, job)
            end = end_of(worker.connection, job, since=run.received_at)
            if end is not None:
                self._end(run, end.kind, end.at or now_us(), end.data)

    def _failed_unrun(self, job: Any, exc_string: object) -> None:
        """RQ gave up on a job that this worker never ran: one that was lost between two lists."""
        task_id = task_id_of(job)
        if task_id is not None and state_of(job) == "failed":
            run = Run(task_id, runs_of(job), text_of(job.origin))
            self._emit(run, Kind.FAILED, now_us(), _error(run, exc_string), 0)

    def _received(self, run: Run, job: Any) -> None:
        known = {**relations(job), **_origin(job)}
        self._emit(run, Kind.RECEIVED, run.received_at, known, RECEIVED)

    def _end(self, run: Run, kind: Kind, at: int, data: dict[str, Any]) -> None:
        if self._slate.has(ENDED):
            return
        if run.run_us is not None:
            data["run_us"] = run.run_us
        elif run.started_at is not None:
            data["run_us"] = max(0, at - run.started_at)
        self._emit(run, kind, at, data, ENDED)

    def _emit(self, run: Run, kind: Kind, at: int, data: dict[str, Any], mark: int) -> None:
        self._process.host.emit(
            TaskEvent(
                kind=kind,
                engine="rq",
                task_id=run.job_id,
                occurred_at=at,
                attempt=run.attempt,
                name=run.name,
                queue=run.queue,
                data=data,
            )
        )
        self._slate.mark(mark)

    def _of(self, job: Any) -> Run | None:
        run = self._run
        return run if run is not None and run.job_id == job.id else None


def _origin(job: Any) -> dict[str, Any]:
    """Return when this attempt was put into its queue, as RQ itself noted it on the job."""
    at = micros(job.enqueued_at)
    return {} if at is None else {"published_at": at}


def _next(run: Run, job: Any) -> dict[str, Any]:
    at = run.due if state_of(job) == "scheduled" else micros(job.enqueued_at)
    return {} if at is None else {"retry_at": at}


def _error(run: Run, exc_string: object) -> dict[str, Any]:
    """Return the exception as it was raised; without one the process that ran the job was lost."""
    error = None if run.error is None else run.error[1]
    if error is None:
        text = str(exc_string).strip(" ;")[:1_000] or "The job was given up."
        return {"exception": {"type": "WorkHorseLost", "message": text}}
    return {"exception": exception_of(error), **traceback_of(exc_string)}
