"""How often, and how long, tasks of one name run in this worker, until it restarts."""

from __future__ import annotations

from typing import Any

from z4j_celery.actions.local import in_worker, panel
from z4j_celery.actions.worker import RateLimitParams, TimeLimitParams
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.plugins import CancelResult


def rate_limit(process: Process, params: RateLimitParams) -> CancelResult:
    """Set or lift the rate at which tasks of a name start."""

    def work(consumer: Any) -> None:
        _known(consumer, params.task)
        panel(consumer, "rate_limit", task_name=params.task, rate_limit=params.rate)

    in_worker(process, work)
    what = f"at most {params.rate}" if params.rate else "without a limit"
    return CancelResult(
        f"{params.task} starts {what} in this worker, until it restarts. "
        "Tasks that an older limit holds back keep their time."
    )


def time_limit(process: Process, params: TimeLimitParams) -> CancelResult:
    """Set or lift the time that tasks of a name may take."""
    soft, hard = params.soft_s, params.hard_s
    if soft is not None and hard is not None and soft >= hard:
        raise ActionError("soft_s must be smaller than hard_s.")

    def work(consumer: Any) -> None:
        _known(consumer, params.task)
        panel(consumer, "time_limit", task_name=params.task, soft=soft, hard=hard)
        # Without this Celery says "ok", and tasks that others publish keep the old limits.
        consumer.update_strategies()

    in_worker(process, work)
    return CancelResult(
        f"{params.task}: soft limit {_seconds(soft)}, hard limit {_seconds(hard)}, for tasks that "
        "this worker takes from now on, until it restarts. A limit in a message goes before."
    )


def _seconds(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g} s"


def _known(consumer: Any, name: str) -> None:
    if name not in consumer.app.tasks:
        raise ActionError(f"This worker knows no task {name!r}. Check the spelling.")
