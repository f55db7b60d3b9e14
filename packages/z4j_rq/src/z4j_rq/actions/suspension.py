"""Pause and resume all workers of a Redis; end this one."""

from __future__ import annotations

import os
import signal
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from rq import suspension
from rq.worker import Worker

from z4j_core.capability import ActionError
from z4j_core.plugins import CancelResult
from z4j_rq.actions.reach import reach
from z4j_rq.process import Process

MAX_PAUSE_S = 366 * 86_400


class SuspendParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long; without a duration until somebody resumes them."""

    duration_s: Annotated[int, Meta(ge=1, le=MAX_PAUSE_S)] | None = None


class SuspensionResult(msgspec.Struct, frozen=True):
    """What RQ is known to have done, and how many workers are registered."""

    outcome: str
    workers: int


def suspend(process: Process, params: SuspendParams) -> SuspensionResult:
    """Suspend RQ on the Redis of this process."""
    with reach(process) as (client, _):
        suspension.suspend(client, params.duration_s)
        workers = _workers(client)
    until = "until resumed" if params.duration_s is None else f"for {params.duration_s} s"
    outcome = (
        f"Pausing {until}: all workers of this Redis begin no further job. One that waits for a "
        "job in this moment may still run one; a running job goes on."
    )
    return SuspensionResult(outcome, workers)


def resume(process: Process) -> SuspensionResult:
    """Resume RQ on the Redis of this process."""
    with reach(process) as (client, _):
        was_suspended = bool(suspension.resume(client))
        workers = _workers(client)
    outcome = "The workers go on." if was_suspended else "The workers were not suspended."
    return SuspensionResult(outcome, workers)


def shutdown(process: Process) -> CancelResult:
    """Do to this worker what RQ's own shutdown command does."""
    worker = process.worker
    if worker is None:
        raise ActionError("This process is no worker any more.")
    os.kill(os.getpid(), signal.SIGINT)
    return CancelResult(outcome=f"{worker.name} ends once it has finished the job that it runs.")


def _workers(client: Any) -> int:
    return int(Worker.count(connection=client))
