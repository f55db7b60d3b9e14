"""What the actions on a worker take and give, and where each of them works."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_celery.process import Process

MAX_STEP = 64
MAX_PROCESSES = 1_000
MAX_LIMIT_S = 7 * 86_400.0
_Seconds = Annotated[float, Meta(gt=0, le=MAX_LIMIT_S)]
QueueName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="The queue, as the app names it",
    ),
]
TaskName = Annotated[
    str, Meta(min_length=1, max_length=255, description="The registered name of the task")
]


class StepParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many processes the pool changes."""

    by: Annotated[int, Meta(ge=1, le=MAX_STEP, description="How many processes")] = 1


class AutoscaleParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of the pool."""

    max: Annotated[int, Meta(ge=1, le=MAX_PROCESSES, description="Most processes")]
    min: Annotated[int, Meta(ge=0, le=MAX_PROCESSES, description="Fewest processes")]


class QueueParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A queue that this worker takes tasks from, or shall."""

    queue: QueueName


class RateLimitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often tasks of one name may start in this worker."""

    task: TaskName
    rate: Annotated[
        Annotated[str, Meta(max_length=16, pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?(/[smh])?$")] | None,
        Meta(description="Such as 10/s, 30/m or 100/h; empty for no limit"),
    ] = None


class TimeLimitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long tasks of one name may run in this worker; empty for no limit."""

    task: TaskName
    soft_s: Annotated[
        _Seconds | None, Meta(description="After so many seconds SoftTimeLimitExceeded is raised")
    ] = None
    hard_s: Annotated[
        _Seconds | None, Meta(description="After so many seconds the process is killed")
    ] = None


class PoolResult(msgspec.Struct, frozen=True):
    """The pool as it is now; `processes` live, `wanted` of them shall."""

    processes: int
    wanted: int


class RestartResult(msgspec.Struct, frozen=True):
    """How many of the pool's processes have been replaced; the rest are, when their tasks end."""

    replaced: int
    waiting: int


class AutoscaleResult(msgspec.Struct, frozen=True):
    """The bounds in force, and how many processes there are now."""

    max: int
    min: int
    processes: int


class ConsumingResult(msgspec.Struct, frozen=True):
    """The queues that this worker takes tasks from now, the first 200 by name."""

    queues: list[str]


class HeldTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task in this worker's hands; its arguments are in the record. Times are RFC 3339."""

    task_id: str
    name: str
    queue: str | None = None
    started_at: str | None = None
    pid: int | None = None
    eta: str | None = None


class HeldTasks(msgspec.Struct, frozen=True):
    """What this worker holds: running, taken and waiting for a place, waiting for their time.

    Each list has at most 60 tasks, the counts have all.
    """

    active: list[HeldTask]
    reserved: list[HeldTask]
    scheduled: list[HeldTask]
    active_count: int
    reserved_count: int
    scheduled_count: int


NAMES = (
    *("pool_grow", "pool_shrink", "pool_restart", "autoscale", "add_consumer", "cancel_consumer"),
    *("rate_limit", "time_limit", "held_tasks", "shutdown"),
)
_NO_WORKER = "Only a worker has a pool and consumes queues, and this process is none."
_NOT_PREFORK = "The pool of this worker ({pool}) cannot do that; start it with --pool prefork."
_SCALES_ITSELF = "This worker scales its pool by itself (--autoscale); change its bounds instead."
_NO_AUTOSCALE = "This worker has a pool of fixed bounds; start it with --autoscale=MAX,MIN."
_NO_RESTARTS = "Celery restarts pools only where worker_pool_restarts = True is configured."


def absences(process: Process) -> dict[str, str]:
    """Return why some of these actions cannot be offered in this process."""
    if process.role != "worker":
        return dict.fromkeys(NAMES, _NO_WORKER)
    if not process.is_prefork:
        reason = _NOT_PREFORK.format(pool=process.pool)
        names = ("pool_grow", "pool_shrink", "pool_restart", "autoscale", "time_limit")
        return dict.fromkeys(names, reason)
    reasons: dict[str, str] = {}
    if _autoscaler(process.consumer) is None:
        reasons["autoscale"] = _NO_AUTOSCALE
    else:
        reasons |= dict.fromkeys(("pool_grow", "pool_shrink"), _SCALES_ITSELF)
    if process.app is not None and not process.app.conf.worker_pool_restarts:
        reasons["pool_restart"] = _NO_RESTARTS
    return reasons


def _autoscaler(consumer: Any) -> Any:
    return getattr(getattr(consumer, "controller", None), "autoscaler", None)
