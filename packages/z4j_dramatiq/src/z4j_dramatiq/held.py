"""The messages that the workers of this process hold, for a thread or until they are due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def held(workers: list[Any]) -> Iterator[Any]:
    """Yield the messages that wait in this process's memory; some may have begun meanwhile."""
    for worker in list(workers):
        queues = [worker.work_queue]
        queues += [consumer.delay_queue for consumer in list(worker.consumers.values())]
        for queue in queues:
            with queue.mutex:
                items = list(queue.queue)
            for item in items:
                yield message_in(item)


def message_in(item: Any) -> Any:
    """Return the message in an entry of a queue; older versions of Dramatiq queue tuples."""
    return item[-1] if isinstance(item, tuple) else item.message
