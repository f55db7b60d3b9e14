"""Tasks as the API and the live feed show them."""

from __future__ import annotations

from typing import Any

import msgspec

from z4j_brain.api.json_text import as_json
from z4j_brain.api.times import Timestamp, millis, rfc3339
from z4j_brain.store.tasks import FullTaskRecord, TaskRecord
from z4j_brain.tasks import attempts
from z4j_brain.tasks.detail import TaskAction, TaskInFull
from z4j_brain.tasks.exact_retry import ExactRetry
from z4j_core.fold import UNKNOWN

MAX_MESSAGE = 500
"""Characters of an exception's message in lists."""


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list. `wait_ms` and `run_ms` are of the latest attempt.

    `wait_doubtful`: it compares clocks of which one is known, or seems, to be wrong.
    `unknown_since` and `unknown_reason` are there only while the state is ``unknown``.
    """

    engine: str
    task_id: str
    name: str | None
    queue: str | None
    state: str
    attempt: int
    worker: str | None
    first_at: Timestamp
    published_at: Timestamp | None
    received_at: Timestamp | None
    started_at: Timestamp | None
    ended_at: Timestamp | None
    eta: Timestamp | None
    wait_ms: int | None
    wait_doubtful: bool
    run_ms: int | None
    exception_type: str | None
    exception_message: str | None
    issue: str | None
    retried_from: str | None
    unknown_since: Timestamp | None
    unknown_reason: str | None
    updated_at: Timestamp


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a task."""

    attempt: int
    state: str
    published_at: Timestamp | None
    received_at: Timestamp | None
    started_at: Timestamp | None
    ended_at: Timestamp | None
    wait_ms: int | None
    wait_doubtful: bool
    run_ms: int | None
    worker: str | None
    exception_type: str | None
    exception_message: str | None
    traceback: str | None
    retry_at: Timestamp | None
    reason: str | None


class TaskDetail(TaskSummary, frozen=True, kw_only=True):
    """A task in full. `exact` says that `args` and `kwargs` equal the real arguments.

    `alive_at` is when a worker last said, being asked by the server, that it holds the task.
    `exact_retry` says where a retry would take the real arguments from.
    """

    args: Any
    kwargs: Any
    exact: bool
    result: Any
    traceback: str | None
    parent_id: str | None
    root_id: str | None
    group_id: str | None
    priority: int | None
    retried_as: list[str]
    attempts: list[AttemptView]
    actions: list[TaskAction]
    alive_at: Timestamp | None
    exact_retry: ExactRetry
    offset: int


def task_summary(task: TaskRecord) -> TaskSummary:
    """Return the view of a task in a list."""
    summary = TaskSummary(**_summary(task))
    message = summary.exception_message
    if message is not None and len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 1] + "…"
        return msgspec.structs.replace(summary, exception_message=message)
    return summary


def _summary(task: TaskRecord) -> dict[str, Any]:
    is_unknown = task.state == UNKNOWN
    return {
        "engine": task.engine,
        "task_id": task.task_id,
        "name": task.name,
        "queue": task.queue,
        "state": task.state,
        "attempt": task.attempt,
        "worker": task.worker,
        "first_at": rfc3339(task.first_at),
        "published_at": rfc3339(task.published_at),
        "received_at": rfc3339(task.received_at),
        "started_at": rfc3339(task.started_at),
        "ended_at": rfc3339(task.ended_at),
        "eta": rfc3339(task.eta),
        "wait_ms": millis(task.wait_us),
        "wait_doubtful": task.wait_is_doubtful,
        "run_ms": millis(task.duration_us),
        "exception_type": task.exception_type,
        "exception_message": task.exception_message,
        "issue": task.issue,
        "retried_from": task.retried_from,
        "unknown_since": rfc3339(task.unknown_at) if is_unknown else None,
        "unknown_reason": task.unknown_reason if is_unknown else None,
        "updated_at": rfc3339(task.last_at),
    }


def task_detail(found: TaskInFull) -> TaskDetail:
    """Return the view of a task in full."""
    task: FullTaskRecord = found.task
    summary = _summary(task)
    if found.attempts and found.attempts[-1].attempt == task.attempt:
        latest = found.attempts[-1]
        # Its events tell whose clocks they are, which the task's row does not.
        summary["wait_ms"] = millis(latest.wait_us)
        summary["wait_doubtful"] = latest.wait_is_doubtful
    return TaskDetail(
        **summary,
        args=as_json(task.args),
        kwargs=as_json(task.kwargs),
        exact=bool(task.exact),
        result=as_json(task.result),
        traceback=found.attempts[-1].traceback if found.attempts else None,
        parent_id=task.parent_id,
        root_id=task.root_id,
        group_id=task.group_id,
        priority=task.priority,
        retried_as=found.retried_as,
        attempts=[attempt_view(attempt) for attempt in found.attempts],
        actions=found.actions,
        alive_at=rfc3339(found.alive_at),
        exact_retry=found.exact_retry,
        offset=found.offset,
    )


def attempt_view(attempt: attempts.Attempt) -> AttemptView:
    """Return the view of one run."""
    return AttemptView(
        attempt=attempt.attempt,
        state=attempt.state,
        published_at=rfc3339(attempt.published_at),
        received_at=rfc3339(attempt.received_at),
        started_at=rfc3339(attempt.started_at),
        ended_at=rfc3339(attempt.ended_at),
        wait_ms=millis(attempt.wait_us),
        wait_doubtful=attempt.wait_is_doubtful,
        run_ms=millis(attempt.run_us),
        worker=attempt.worker,
        exception_type=attempt.exception_type,
        exception_message=attempt.exception_message,
        traceback=attempt.traceback,
        retry_at=safe_rfc3339(attempt.retry_at),
        reason=attempt.reason,
    )


def safe_rfc3339(micros: int | None) -> str | None:
    """Write a time that comes from a payload, where any number may stand; None if it is none."""
    return rfc3339(micros) if micros is not None and 0 <= micros < 1 << 52 else None
