"""Change the processes of a prefork worker, and say how many there really are then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery.utils.functional import noop

from z4j_celery.actions.local import in_worker, panel, running_consumer
from z4j_celery.actions.worker import (
    AutoscaleParams,
    AutoscaleResult,
    PoolResult,
    RestartResult,
)
from z4j_celery.process import Process
from z4j_core.capability import ActionError

EFFECT_WAIT_S = 5.0
"""For processes to come and go; the answer then says how many there are, whatever was asked."""
_PAUSE_S = 0.02


def grow(process: Process, by: int) -> PoolResult:
    """Start more processes."""

    def work(consumer: Any) -> None:
        panel(consumer, "pool_grow", n=by)
        # Celery itself looks only when a process ends, or after five seconds.
        consumer.pool.maintain_pool()

    return _sized(process, work)


def shrink(process: Process, by: int) -> PoolResult:
    """End processes that are idle now; one is left."""
    pool = running_consumer(process).pool
    # A process that still starts has this one's signal handlers, so it would not end.
    _wait_until(lambda: not getattr(pool._pool, "_waiting_to_start", ()))

    def work(consumer: Any) -> None:
        before = consumer.pool.num_processes
        if by >= before:
            raise ActionError(
                f"The pool has {before} processes and keeps one; stop the worker instead."
            )
        try:
            panel(consumer, "pool_shrink", n=by)
        except ValueError as error:  # raised after those that were idle have been ended
            ended = before - consumer.pool.num_processes
            if ended == 0:
                raise ActionError(
                    "All processes of the pool are busy, so none was ended; try again later."
                ) from error
            consumer._update_prefetch_count(-ended)

    return _sized(process, work)


def autoscale(process: Process, params: AutoscaleParams) -> AutoscaleResult:
    """Set the bounds between which the worker scales its pool."""
    if params.min > params.max:
        raise ActionError("min must not be greater than max.")

    def work(consumer: Any) -> None:
        panel(consumer, "autoscale", max=params.max, min=params.min)
        consumer.pool.maintain_pool()

    consumer = in_worker(process, work)
    scaler = consumer.controller.autoscaler
    _wait_until(lambda: params.min <= len(_pids(consumer)) <= params.max)
    return AutoscaleResult(scaler.max_concurrency, scaler.min_concurrency, len(_pids(consumer)))


def restart(process: Process) -> RestartResult:
    """Replace every process when it is idle; their tasks end first."""
    before: set[int] = set()

    def work(consumer: Any) -> None:
        before.update(_pids(consumer))
        # An empty list: modules are not loaded again, new processes begin with this one's.
        panel(consumer, "pool_restart", modules=[])
        # A process looks whether it shall end after each job; Celery gives one to one of them.
        for _ in range(len(before) - 1):
            consumer.pool.on_apply(noop)

    consumer = in_worker(process, work)
    _wait_until(lambda: not before & set(_pids(consumer)))
    left = len(before & set(_pids(consumer)))
    return RestartResult(replaced=len(before) - left, waiting=left)


def _sized(process: Process, work: Callable[[Any], None]) -> PoolResult:
    consumer = in_worker(process, work)
    _wait_until(lambda: len(_pids(consumer)) == consumer.pool.num_processes)
    return PoolResult(processes=len(_pids(consumer)), wanted=consumer.pool.num_processes)


def _pids(consumer: Any) -> list[int]:
    return list(consumer.pool.info["processes"])


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + EFFECT_WAIT_S
    while not is_so() and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
