"""What makes a worker of RQ tell what it does: put it before the worker's class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from z4j_rq import capture
from z4j_rq.guard import guarded
from z4j_rq.stamp import note_run

if TYPE_CHECKING:
    _Base = Any
else:
    _Base = object

CAN_STOP = "z4j_can_stop"
"""Field of a worker's hash in Redis: jobs of this worker can be stopped."""


class ObservedWorker(_Base):  # type: ignore[misc]
    """Mix-in for every class of RQ's workers: ``class Mine(ObservedWorker, Theirs)``.

    Whatever it overrides calls RQ's own method first or last, with whatever arguments that version
    of RQ has. Without an attached engine nothing else happens.
    """

    z4j_has_begun = False
    """Whether this object did the worker's bootstrap: one that was rebuilt in a spawned process
    has no way to the worker's link, and stays silent."""

    def bootstrap(self, *args: Any, **options: Any) -> Any:
        """Register the worker, then connect."""
        watching = capture.current()
        if watching is None:
            return super().bootstrap(*args, **options)
        with guarded("ObservedWorker.bootstrap"):
            self.z4j_has_begun = True
            watching.process.on_worker_begins(self)
        answer = super().bootstrap(*args, **options)
        with guarded("ObservedWorker.bootstrap"):
            if not watching.process.is_simple:
                self.connection.hset(self.key, CAN_STOP, 1)
            watching.process.on_worker_ready(self)
        return answer

    def teardown(self, *args: Any, **options: Any) -> Any:
        """Unregister the worker, then send what is left."""
        try:
            return super().teardown(*args, **options)
        finally:
            watching = self._z4j_watching()
            if watching is not None and not self.is_horse:
                with guarded("ObservedWorker.teardown"):
                    watching.process.on_worker_ended()

    def execute_job(self, job: Any, queue: Any, *args: Any, **options: Any) -> Any:
        """Run a job, in a process of its own or in this one."""
        watching = self._z4j_watching()
        if watching is None:
            return super().execute_job(job, queue, *args, **options)
        watching.runs.begin(job, queue)
        is_cold = False
        try:
            return super().execute_job(job, queue, *args, **options)
        except SystemExit:
            # A cold shutdown leaves the job as started, for RQ to give up later.
            is_cold = True
            raise
        finally:
            watching.runs.finish(self, job, was_stored=not is_cold)

    def fork_work_horse(self, job: Any, queue: Any, *args: Any, **options: Any) -> Any:
        """Begin the process that runs the job; a spawned one has nothing of us."""
        watching = self._z4j_watching()
        if watching is None or not _spawns(self):
            return super().fork_work_horse(job, queue, *args, **options)
        with guarded("ObservedWorker.fork_work_horse"):
            note_run(job, self.connection)
        answer = super().fork_work_horse(job, queue, *args, **options)
        watching.runs.on_spawned(job, self.horse_pid)
        return answer

    def main_work_horse(self, *args: Any, **options: Any) -> Any:
        """Begin as a work horse; a spawned one is silent, or each would open a link of its own."""
        watching = capture.current()
        if watching is not None and not self.z4j_has_begun:
            watching.detach()
        return super().main_work_horse(*args, **options)

    def perform_job(self, job: Any, queue: Any, *args: Any, **options: Any) -> Any:
        """Run the job in this process."""
        watching = self._z4j_watching()
        if watching is not None:
            watching.runs.on_perform(job)
        return super().perform_job(job, queue, *args, **options)

    def handle_job_success(self, job: Any, *args: Any, **options: Any) -> Any:
        """Store a success."""
        answer = super().handle_job_success(job, *args, **options)
        watching = self._z4j_watching()
        if watching is not None:
            watching.runs.succeeded(job)
        return answer

    def handle_job_retry(self, job: Any, *args: Any, **options: Any) -> Any:
        """Obey or refuse a `Retry` that a job returned."""
        answer = super().handle_job_retry(job, *args, **options)
        watching = self._z4j_watching()
        if watching is not None:
            watching.runs.retry_returned(job)
        return answer

    def handle_exception(self, job: Any, *exc_info: Any) -> Any:
        """Log an exception and call the handlers for it."""
        watching = self._z4j_watching()
        if watching is not None and len(exc_info) == 3:
            watching.runs.on_exception(job, exc_info)
        return super().handle_exception(job, *exc_info)

    def handle_job_failure(self, job: Any, *args: Any, **options: Any) -> Any:
        """Store a failure, a retry or a stop; also for a process that died."""
        was_stopped = self._stopped_job_id == job.id  # RQ forgets it in the call
        answer = super().handle_job_failure(job, *args, **options)
        watching = self._z4j_watching()
        if watching is not None:
            text = options.get("exc_string", args[2] if len(args) > 2 else "")
            watching.runs.failed(job, text, was_stopped=was_stopped)
        return answer

    def _z4j_watching(self) -> capture.Capture | None:
        return capture.current() if self.z4j_has_begun else None


def _spawns(worker: Any) -> bool:
    import rq

    spawning = getattr(rq, "SpawnWorker", None)
    return spawning is not None and isinstance(worker, spawning)
