"""How a task's run ended, judged from the exception and from what Celery said of it.

Which kind each end becomes:

=====================================================  ==========================================
what happened                                          kind
=====================================================  ==========================================
returned                                               succeeded
raised, time limit, worker process lost                failed
`Retry`; lost with `retry_on_worker_lost`              retried
`Reject(requeue=True)` before the acknowledgement,     retried, same attempt: the broker delivers
lost or out of time and given back to the broker       the same message again
`self.replace(…)`                                      retried, same attempt
`Ignore`                                               rejected: Celery records no outcome
`Reject`, unknown task, invalid message                rejected
revoked, terminated, expired                           cancelled
=====================================================  ==========================================
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any, NamedTuple

from celery import exceptions
from celery.utils.serialization import get_pickled_exception

from z4j_agent.facts import printed
from z4j_celery.facts import exception_of, retry_at, traceback_of
from z4j_core.events import Kind

Said = Mapping[str, Mapping[str, Any]]
REPLACED = "Replaced by new task"


class Ending(NamedTuple):
    """The last event of a run."""

    kind: Kind
    data: dict[str, Any]


def revoked(kind: str, fields: Mapping[str, Any]) -> Ending | None:
    """Return the end that one event of Celery's tells by itself, outside the judging of a run."""
    if kind == "task-revoked":
        return Ending(Kind.CANCELLED, {"reason": _why_revoked(fields)})
    if kind == "task-cancelled":
        return _given_back("Celery cancelled the run because the broker connection was lost.")
    if kind == "task-rejected":
        if fields.get("requeue"):
            return _given_back("The worker gave the message back to the broker.")
        return Ending(Kind.REJECTED, {"reason": "The worker rejected the message."})
    return None


def timed_out(limit: Any, said: Said) -> Ending | None:
    """Return the end of a run over its hard limit, if Celery has already decided on one."""
    exception = {
        "type": "TimeLimitExceeded",
        "module": "billiard.exceptions",
        "message": f"The hard time limit of {limit} s was exceeded.",
    }
    if _is_requeued(said):
        return _given_back("Over its time limit; the message was given back.", exception)
    if "task-failed" in said:
        return Ending(Kind.FAILED, {"exception": exception})
    return None


def ending_of(info: Any, said: Said, was_acknowledged: bool, has_fallen: bool) -> Ending | None:
    """Return the end of a run that raised; `info` is Celery's ExceptionInfo.

    `said` holds the events that Celery made of it. `has_fallen` tells that Celery's own handling
    raised, for example because its result backend did not answer.
    """
    error = _error_of(info)
    if isinstance(error, exceptions.Reject):
        return _rejected(error, said, was_acknowledged)
    if isinstance(error, exceptions.Retry):
        return _retried(error, info)
    if isinstance(error, exceptions.Ignore):
        return _ignored(error)
    if "task-revoked" in said:
        return Ending(Kind.CANCELLED, {"reason": _why_revoked(said["task-revoked"])})
    data: dict[str, Any] = {"exception": exception_of(error), **traceback_of(info)}
    if isinstance(error, SystemExit | KeyboardInterrupt):
        data["exception"] = _left(error)
    if "task-retried" in said:
        return Ending(Kind.RETRIED, data)
    if "task-failed" in said:
        return Ending(Kind.FAILED, data)
    if _is_requeued(said):
        reason = "The worker gave the message back to the broker."
        return Ending(Kind.RETRIED, {"reason": reason, **data})
    return Ending(Kind.FAILED, data) if has_fallen or "task-rejected" in said else None


def _error_of(info: Any) -> Any:
    error = getattr(info.exception, "exc", None) if _is_wrapped(info.exception) else info.exception
    try:
        return get_pickled_exception(error)
    except Exception:  # noqa: BLE001 - rebuilding a stranger's exception may raise anything
        return error


def _is_wrapped(error: Any) -> bool:
    return type(error).__name__ == "ExceptionWithTraceback"


def _left(error: BaseException) -> dict[str, str]:
    """Celery counts a task that leaves its process as a lost worker."""
    message = f"The task ended its process: {printed(error) or type(error).__name__}."
    return {"type": "WorkerLostError", "module": "billiard.exceptions", "message": message}


def _retried(error: Any, info: Any) -> Ending:
    data: dict[str, Any] = {}
    cause = error.exc
    # Pools of threads hand over a Retry around the Retry.
    while isinstance(cause, exceptions.Retry):
        cause = cause.exc
    if cause is not None:
        data["exception"] = exception_of(cause)
        data |= traceback_of(info)
    at = retry_at(error.when)
    if at is not None:
        data["retry_at"] = at
    return Ending(Kind.RETRIED, data)


def _rejected(error: Any, said: Said, was_acknowledged: bool) -> Ending:
    if not error.requeue:
        return Ending(Kind.REJECTED, {"reason": f"The task raised Reject: {printed(error.reason)}"})
    if was_acknowledged:
        reason = (
            "The task raised Reject(requeue=True), but its message was acknowledged before it "
            "ran; only with acks_late can it be given back."
        )
        return Ending(Kind.REJECTED, {"reason": reason})
    return _given_back(f"The task raised Reject(requeue=True): {printed(error.reason)}")


def _ignored(error: Any) -> Ending:
    if error.args[:1] == (REPLACED,):
        return Ending(Kind.RETRIED, {"reason": "The task replaced itself by another one."})
    reason = "The task raised Ignore: Celery records no outcome for this run."
    return Ending(Kind.REJECTED, {"reason": reason})


def _given_back(reason: str, exception: dict[str, str] | None = None) -> Ending:
    data: dict[str, Any] = {"reason": reason}
    if exception is not None:
        data["exception"] = exception
    return Ending(Kind.RETRIED, data)


def _is_requeued(said: Said) -> bool:
    return bool(said.get("task-rejected", {}).get("requeue"))


def _why_revoked(fields: Mapping[str, Any]) -> str:
    if fields.get("expired"):
        return "The task expired before it could start."
    if not fields.get("terminated"):
        return "The task was revoked."
    number = fields.get("signum")
    try:
        name = signal.Signals(int(str(number))).name
    except ValueError:
        name = str(number)[:64]
    return f"The task was terminated ({name})."
