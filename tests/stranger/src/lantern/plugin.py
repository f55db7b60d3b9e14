"""The z4j plugin of Lantern's queue. Found by its entry point; nobody else has heard of it."""

import time
import traceback
from typing import Annotated, Literal

import msgspec

from z4j_core.capability import ActionError, Target, action
from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import Engine, RetryParams, RetryResult, hook


class RefillParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    litres: Annotated[int, msgspec.Meta(ge=1, le=50, description="How much oil")]
    grade: Literal["plain", "scented"] = "plain"


class RefillResult(msgspec.Struct, frozen=True):
    oil: int


class LanternEngine(Engine):
    name = "lantern"

    def __init__(self, lantern):
        self._lantern, self._jobs = lantern, {}

    def attach(self, host):
        self._host = host
        self._lantern.listeners.append(self._on)

    def detach(self):
        if self._on in self._lantern.listeners:
            self._lantern.listeners.remove(self._on)

    def _on(self, what, job, value):
        task_id, function, args, kwargs = job
        self._host.ensure_started("worker", worker_name="lantern")
        self._jobs[task_id] = job
        data = {"args": list(args), "kwargs": kwargs}
        if what == "failed":
            data["exception"] = {"type": type(value).__name__, "message": str(value)}
            data["traceback"] = "".join(traceback.format_exception(value))
        known = {"name": function.__name__, "queue": "lantern", "data": data}
        known["occurred_at"] = time.time_ns() // 1_000
        self._host.emit(TaskEvent(kind=Kind(what), engine=self.name, task_id=task_id, **known))

    def retry(self, task, params: RetryParams) -> RetryResult:
        job = self._jobs.get(task.task_id)
        if job is None:
            raise ActionError("This process no longer knows the job. Light it again by hand.")
        return RetryResult(self._lantern.light(job[1], *job[2], **job[3]))

    @action(target=Target.ENGINE, title="Refill", description="Pours oil into the lantern.")
    def refill(self, params: RefillParams) -> RefillResult:
        self._lantern.oil += params.litres
        return RefillResult(self._lantern.oil)


@hook
def z4j_engine(settings):
    from lantern.work import lantern

    return LanternEngine(lantern)
