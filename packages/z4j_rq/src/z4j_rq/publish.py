"""Publishing: where a job comes from, and the event once Redis has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from z4j_agent.facts import micros, now_us, text_of
from z4j_core.events import Kind, TaskEvent
from z4j_rq.facts import arguments_of, is_read, task_id_of
from z4j_rq.guard import guarded
from z4j_rq.process import Process
from z4j_rq.stamp import FIELD, Stamp, decoded, put_stamp, relations, runs_of, stamp_of

_PENDING = "_z4j_pending"
MAX_DEPENDENCIES = 100


class Publications:
    """Turns enqueued jobs into events, in whichever process and thread enqueues."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.running: Any = None
        """The job that runs in this process, which is the parent of what is enqueued now."""

    def prepare(self, queue: Any, job: Any) -> None:
        """Write the relations of a new job on it, before RQ saves it."""
        with guarded("Publications.prepare"):
            if stamp_of(job) is None and not runs_of(job):
                parent, root = self._relations(queue, job)
                retries = getattr(job, "retries_left", None) or None
                if parent is not None or retries is not None:
                    put_stamp(job, Stamp(parent=parent, root=root, retries=retries))

    def tell(
        self, queue: Any, job: Any, pipeline: Any, eta: int | None = None, *, waits: bool = False
    ) -> None:
        """Report a job, once the pipeline has been executed if there is one.

        `waits` says that it waits for other jobs.
        """
        with guarded("Publications.tell"):
            event = _event(queue, job, eta, waits)
            if event is not None:
                after_execution(pipeline, lambda: self._emit(queue, event))

    def _emit(self, queue: Any, event: TaskEvent) -> None:
        with guarded("Publications.emit"):
            self._process.on_publish(queue)
            self._process.host.emit(event)

    def _relations(self, queue: Any, job: Any) -> tuple[str | None, str | None]:
        """Return parent and root: of a dependent the first job that it depends on, of any other
        the running one.
        """
        running = self.running
        dependency = next(iter(getattr(job, "_dependency_ids", None) or ()), None)
        if dependency is not None and (running is None or dependency != running.id):
            raw = queue.connection.hget(job.key_for(dependency), FIELD)
            above = decoded(raw) if isinstance(raw, bytes) else None
            return dependency, (above and above.root) or dependency
        if running is None or running.id == job.id:
            return None, None
        return running.id, relations(running)["root_id"]


def _event(queue: Any, job: Any, eta: int | None, waits: bool) -> TaskEvent | None:
    task_id = task_id_of(job)
    if task_id is None:
        return None
    data: dict[str, Any] = relations(job)
    dependencies = list(getattr(job, "_dependency_ids", None) or ())
    if dependencies:
        data["dependency_ids"] = dependencies[:MAX_DEPENDENCIES]
    if waits:
        data["deferred"] = True
    if eta is not None:
        data["eta"] = eta
    name = None
    if is_read(job):
        name = text_of(job.func_name)
        data |= arguments_of(job)
    is_queued = eta is None and not waits
    return TaskEvent(
        kind=Kind.PUBLISHED,
        engine="rq",
        task_id=task_id,
        occurred_at=(micros(job.enqueued_at) if is_queued else None) or now_us(),
        attempt=runs_of(job),
        name=name,
        queue=text_of(queue.name),
        data=data,
    )


def after_execution(pipeline: Any, act: Callable[[], None]) -> None:
    """Act when the pipeline has been executed; at once if there is none.

    RQ enqueues many jobs in a transaction that it may have to begin again, and a user may hand over
    a pipeline and throw it away: what Redis never got must not be told.
    """
    if pipeline is None:
        act()
        return
    pending: list[Callable[[], None]] | None = getattr(pipeline, _PENDING, None)
    if pending is None:
        pending = _observe(pipeline)
    pending.append(act)


def _observe(pipeline: Any) -> list[Callable[[], None]]:
    pending: list[Callable[[], None]] = []
    execute = pipeline.execute

    def execute_and_act(*args: Any, **options: Any) -> Any:
        waiting = pending[:]
        pending.clear()
        answer = execute(*args, **options)
        for act in waiting:
            act()
        return answer

    pipeline.execute = execute_and_act
    setattr(pipeline, _PENDING, pending)
    return pending
