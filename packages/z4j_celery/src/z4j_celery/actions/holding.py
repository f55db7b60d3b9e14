"""What this worker has in its hands: lists of bounded length, without arguments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from celery.worker import state

from z4j_celery.actions.local import on_consumer_thread, panel, running_consumer
from z4j_celery.actions.worker import HeldTask, HeldTasks
from z4j_celery.process import Process
from z4j_core.capability import ActionError

MAX_LISTED = 60


def held_tasks(process: Process) -> HeldTasks:
    """Return the active, reserved and scheduled tasks."""
    consumer = running_consumer(process)
    has_run, held = on_consumer_thread(consumer, lambda: _look(consumer))
    try:
        # A solo worker runs a task; meanwhile nobody changes the lists.
        active, reserved, scheduled = held if has_run else _look(consumer)
    except RuntimeError as error:
        raise ActionError("The worker is too busy to tell; try again.") from error
    active.sort(key=lambda request: request.time_start or 0.0)
    return HeldTasks(
        active=[_held(request, process.is_prefork) for request in active[:MAX_LISTED]],
        reserved=[_held(request, False) for request in reserved[:MAX_LISTED]],
        scheduled=_scheduled(scheduled[:MAX_LISTED]),
        active_count=len(active),
        reserved_count=len(reserved),
        scheduled_count=len(scheduled),
    )


def _look(consumer: Any) -> tuple[list[Any], list[Any], list[Any]]:
    active = list(state.active_requests)
    reserved = [one for one in list(state.reserved_requests) if one not in state.active_requests]
    return active, reserved, panel(consumer, "scheduled")


def _held(request: Any, is_child: bool) -> HeldTask:
    started = request.time_start
    return HeldTask(
        task_id=str(request.id),
        name=str(request.name),
        queue=(request.delivery_info or {}).get("routing_key"),
        started_at=None if not started else _rfc3339(started),
        # Pools without processes put what they like there.
        pid=request.worker_pid if started and is_child else None,
    )


def _scheduled(entries: Iterable[Any]) -> list[HeldTask]:
    return [
        HeldTask(
            task_id=str(entry["request"]["id"]),
            name=str(entry["request"]["name"]),
            queue=(entry["request"]["delivery_info"] or {}).get("routing_key"),
            eta=entry["eta"],
        )
        for entry in entries
    ]


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
