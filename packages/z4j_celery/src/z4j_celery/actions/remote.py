"""What the other workers of the same broker hold, asked through Celery's remote control."""

from __future__ import annotations

from typing import Any

from celery import states

from z4j_celery.guard import logger

ANSWER_WAIT_S = 1.0


class Holders:
    """Which workers answered, and which of them holds the task: active, reserved, scheduled."""

    def __init__(self, replies: Any, task_id: str) -> None:
        answers = replies if isinstance(replies, dict) else {}
        self.workers = sorted(str(name) for name in answers)
        self.states: dict[str, str] = {}
        for worker, held in answers.items():
            entry = held.get(task_id) if isinstance(held, dict) else None
            if isinstance(entry, list | tuple) and entry:
                self.states[str(worker)] = str(entry[0])

    def running(self) -> str | None:
        """Return the worker that runs the task."""
        return next((name for name, held in self.states.items() if held == "active"), None)

    def waiting(self) -> str | None:
        """Return a worker in whose hands the task waits."""
        return next(
            (name for name, held in self.states.items() if held in ("reserved", "scheduled")), None
        )


def holders(app: Any, task_id: str) -> Holders:
    """Ask all workers for the task; waits `ANSWER_WAIT_S` seconds for answers."""
    try:
        replies = app.control.inspect(timeout=ANSWER_WAIT_S).query_task([task_id])
    except Exception as error:  # noqa: BLE001 - some brokers have no remote control
        logger.info("Celery's remote control does not answer: %r", error)
        replies = None
    return Holders(replies, task_id)


def recorded_state(app: Any, task_id: str) -> str | None:
    """Return the task's state in the result backend, None if unknown.

    `PENDING` means that the backend has never heard of the task.
    """
    try:
        state = str(app.backend.get_state(task_id))
    except Exception as error:  # noqa: BLE001 - without a backend there is no state to ask for
        logger.debug("Celery's result backend does not answer: %r", error)
        return None
    return None if state == states.PENDING else state
