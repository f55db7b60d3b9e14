"""What the other workers of the same broker hold, asked through Celery's remote control."""

from __future__ import annotations

from typing import Any

from celery import states

from z4j_agent.facts import printed
from z4j_celery.actions.broker import broker
from z4j_celery.guard import logger
from z4j_core.capability import ActionError

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
        with broker(app) as connection:
            inspect = app.control.inspect(timeout=ANSWER_WAIT_S, connection=connection)
            replies = inspect.query_task([task_id])
    except Exception as error:  # noqa: BLE001 - some brokers have no remote control
        logger.info("Celery's remote control does not answer: %r", error)
        replies = None
    return Holders(replies, task_id)


def pool_of(app: Any, worker: str) -> str:
    """Return the path of the class of a worker's pool."""
    with broker(app) as connection:
        inspect = app.control.inspect([worker], timeout=ANSWER_WAIT_S, connection=connection)
        stats = (inspect.stats() or {}).get(worker) or {}
    return str((stats.get("pool") or {}).get("implementation", "unknown"))


def revoke(app: Any, task_id: str, **options: Any) -> None:
    """Tell all workers, or those of `destination`, to refuse a task."""
    try:
        with broker(app) as connection:
            app.control.revoke(task_id, connection=connection, **options)
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        raise ActionError(
            f"The workers could not be told ({type(error).__name__}: {printed(error)}). "
            "Check the broker, then try again."
        ) from error


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
