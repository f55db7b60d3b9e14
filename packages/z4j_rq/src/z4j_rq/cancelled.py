"""Jobs that are cancelled before they run, by whichever process of ours cancels them."""

from __future__ import annotations

from typing import Any

from rq.exceptions import InvalidJobOperation

from z4j_agent.facts import now_us, text_of
from z4j_core.events import Kind, TaskEvent
from z4j_rq.facts import state_of
from z4j_rq.guard import guarded
from z4j_rq.process import Process
from z4j_rq.publish import after_execution
from z4j_rq.stamp import runs_of

WAITING = frozenset(
    {"created", "queued", "scheduled", "deferred", "ready_to_enqueue", "rate_limited"}
)


class Cancellations:
    """Tells of cancelled jobs. Thread-safe."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def waits(self, job: Any) -> bool:
        """Ask Redis whether the job waits still: RQ "cancels" a running one too, which runs on."""
        with guarded("Cancellations.waits"):
            try:
                job.get_status(refresh=True)
            except InvalidJobOperation:  # Redis has no such job, as RQ will say itself
                return False
            return state_of(job) in WAITING
        return False

    def tell(self, job: Any, pipeline: Any, reason: str = "The job was cancelled.") -> None:
        """Report a job as cancelled, once the pipeline has been executed if there is one."""
        with guarded("Cancellations.tell"):
            after_execution(pipeline, lambda: self.emit(job.id, job.origin, runs_of(job), reason))

    def emit(self, task_id: str, queue: str | None, attempt: int, reason: str) -> None:
        """Report a job as cancelled."""
        with guarded("Cancellations.emit"):
            self._process.host.emit(
                TaskEvent(
                    kind=Kind.CANCELLED,
                    engine="rq",
                    task_id=task_id,
                    occurred_at=now_us(),
                    attempt=attempt,
                    queue=text_of(queue),
                    data={"reason": reason},
                )
            )
