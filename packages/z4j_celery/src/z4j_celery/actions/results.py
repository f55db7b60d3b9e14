"""What Celery's result backend says of a task, as an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celery import states
from celery.backends.base import DisabledBackend

from z4j_agent.facts import MAX_TRACEBACK, now_us
from z4j_celery.facts import exception_of, micros
from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import ProbedTask

Meta = Mapping[str, Any]

_KINDS = {
    states.SUCCESS: Kind.SUCCEEDED,
    states.FAILURE: Kind.FAILED,
    states.REVOKED: Kind.CANCELLED,
    states.REJECTED: Kind.REJECTED,
    states.IGNORED: Kind.REJECTED,
}
_ANSWERS_ITS_PUBLISHER_ALONE = frozenset({"rpc", "amqp"})


class Backend:
    """The result backend of an app, over connections of its own. `what` names it in a sentence."""

    def __init__(self, real: Any, what: str, *, can_be_asked: bool) -> None:
        self._real = real
        self.what = what
        self.can_be_asked = can_be_asked

    @classmethod
    def of(cls, app: Any) -> Backend:
        """Return a fresh backend: nothing that the app's own threads wait for, or children use."""
        real = app._get_backend()
        if isinstance(real, DisabledBackend):
            return cls(real, "no result backend, since none is configured", can_be_asked=False)
        scheme = str(real.as_uri()).partition(":")[0].partition("+")[0][:64] or "unknown"
        if scheme in _ANSWERS_ITS_PUBLISHER_ALONE:
            what = f"not the result backend {scheme}, which answers the publisher alone"
            return cls(real, what, can_be_asked=False)
        return cls(real, f"the result backend {scheme}", can_be_asked=True)

    def read(self, task_id: str) -> Meta:
        """Return what is stored of a task; its status is ``PENDING`` if that is nothing."""
        meta = self._real.get_task_meta(task_id, cache=False)
        return meta if isinstance(meta, Mapping) else {}

    def close(self) -> None:
        """Let go of the connections; those of other clients than Redis end with their objects."""
        pool = getattr(self._real.__dict__.get("client"), "connection_pool", None)
        if pool is not None:
            pool.disconnect()


def event_of(task: ProbedTask, meta: Meta, what: str) -> TaskEvent | None:
    """Return the end that is stored, None if there is none.

    ``STARTED`` and ``RETRY`` say that something was once so, which the record knows as well; only
    a retry that names its attempt (``result_extended``) is the end of that attempt.
    """
    status, retries = meta.get("status"), meta.get("retries")
    attempt = task.attempt
    if isinstance(retries, int) and not isinstance(retries, bool) and retries >= 0:
        attempt = retries
    kind = _KINDS.get(str(status))
    if status == states.RETRY and attempt == retries == task.attempt and task.state != "retrying":
        kind = Kind.RETRIED
    if kind is None:
        return None
    return TaskEvent(
        kind=kind,
        engine="celery",
        task_id=task.task_id,
        occurred_at=micros(meta.get("date_done")) or now_us(),
        attempt=attempt,
        name=task.name,
        data=_data(kind, meta, what),
    )


def _data(kind: Kind, meta: Meta, what: str) -> dict[str, Any]:
    data: dict[str, Any] = {"reason": f"Told by {what}, when asked; no worker reported it."}
    result = meta.get("result")
    if kind is Kind.SUCCEEDED:
        data["result"] = result
    elif isinstance(result, BaseException):
        data["exception"] = exception_of(result)
    traceback = meta.get("traceback")
    if isinstance(traceback, str) and 0 < len(traceback) <= MAX_TRACEBACK:
        data["traceback"] = traceback
    return data
