"""Delete the messages that wait in a queue."""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import printed
from z4j_celery.actions.broker import broker
from z4j_celery.apps import choose
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.plugins import PurgeResult

MAX_QUEUE = 255


def purge(process: Process, queue: str) -> PurgeResult:
    """Delete the waiting messages and say how many; those that workers hold already stay."""
    if not 0 < len(queue) <= MAX_QUEUE:
        raise ActionError(f"The name of the queue must have 1 to {MAX_QUEUE} characters.")
    app = choose(process.apps(), f"the queue {queue!r}", lambda app: queue in app.amqp.queues)
    try:
        # A connection of its own: a refused declaration closes the channel that it came on.
        with broker(app) as connection:
            if queue not in app.amqp.queues and not _exists(connection, queue):
                raise ActionError(
                    f"The app has no queue {queue!r} and the broker holds no messages under that "
                    "name. Check the spelling."
                )
            return PurgeResult(deleted=int(_purge(connection, queue) or 0))
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        raise ActionError(
            f"The broker did not purge the queue ({type(error).__name__}: {printed(error)}). "
            "Check the connection and the permissions, then try again."
        ) from error


def _exists(connection: Any, queue: str) -> bool:
    """Ask the broker; Redis knows a queue only while it holds messages."""
    try:
        with connection.channel() as channel:
            channel.queue_declare(queue, passive=True)
    except connection.channel_errors:
        return False
    return True


def _purge(connection: Any, queue: str) -> int:
    try:
        with connection.channel() as channel:
            deleted: int = channel.queue_purge(queue)
            return deleted
    except connection.channel_errors as error:
        # Brokers that have not yet made a configured queue answer 404: nothing waits there.
        if getattr(error, "code", getattr(error, "reply_code", None)) == 404:
            return 0
        raise
