"""From which queues this worker takes tasks, until it restarts."""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import printed
from z4j_celery.actions.broker import broker
from z4j_celery.actions.local import in_worker
from z4j_celery.actions.worker import ConsumingResult
from z4j_celery.process import Process
from z4j_core.capability import ActionError

MAX_LISTED = 200


def add_consumer(process: Process, queue: str) -> ConsumingResult:
    """Begin to take tasks from a queue, which is declared if the broker has none such."""
    _declare(process.app, queue)

    def work(consumer: Any) -> None:
        consumer.add_task_queue(queue)
        # Before 5.5 a paused queue that is resumed would be left out again by a reconnection.
        queues = consumer.app.amqp.queues
        queues.select_add(queues[queue])
        if queue not in _consumed(consumer):
            raise ActionError(f"Celery did not begin to consume {queue!r}; see the worker's log.")

    return _told(process, work)


def cancel_consumer(process: Process, queue: str) -> ConsumingResult:
    """Take no more tasks from a queue; those that the worker has already taken still run."""

    def work(consumer: Any) -> None:
        if queue not in (consumed := _consumed(consumer)):
            listed = ", ".join(consumed[:10]) or "none"
            raise ActionError(f"This worker takes no tasks from {queue!r}. Its queues: {listed}.")
        consumer.cancel_task_queue(queue)
        if queue in _consumed(consumer):
            raise ActionError(f"Celery still consumes {queue!r}; see the worker's log.")

    return _told(process, work)


def _declare(app: Any, queue: str) -> None:
    """Try the declaration on a connection of its own: a refused one closes the channel it came
    on, and the worker would consume nothing any more.
    """
    queues = app.amqp.queues
    was_known = queue in queues
    try:
        declared = queues[queue]
    except KeyError:
        raise ActionError(
            f"The app has no queue {queue!r}, and task_create_missing_queues is off. "
            "Check the spelling, or add it to task_queues."
        ) from None
    try:
        with broker(app) as connection, connection.channel() as channel:
            declared.bind(channel).declare()
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        if not was_known:
            # Before 5.5 a worker without -Q consumes all that is there when it reconnects.
            queues.pop(queue, None)
        raise ActionError(
            f"The broker refused the queue ({type(error).__name__}: {printed(error)}). "
            "Check its name, its settings and the permissions."
        ) from error


def _told(process: Process, work: Any) -> ConsumingResult:
    return ConsumingResult(_consumed(in_worker(process, work))[:MAX_LISTED])


def _consumed(consumer: Any) -> list[str]:
    return sorted(str(queue.name) for queue in consumer.task_consumer.queues)
