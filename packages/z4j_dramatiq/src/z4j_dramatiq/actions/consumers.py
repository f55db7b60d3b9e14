"""Have the workers of this process take no more messages from a queue, and take them again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_core.capability import ActionError
from z4j_dramatiq.capture import Capture


class QueueParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The queue."""

    queue: Annotated[str, Meta(min_length=1, max_length=255, description="Name of the queue")]


class ConsumerResult(msgspec.Struct, frozen=True):
    """What the consumers were told, and whether they have come to rest already."""

    outcome: str
    is_resting: bool


def pause(capture: Capture, queue: str) -> ConsumerResult:
    """Stop fetching; what was fetched still runs, and what is delayed goes back to the broker."""
    consumers = _consumers(capture, queue)
    for consumer in consumers:
        if not consumer.paused:
            consumer.pause()
    return ConsumerResult(
        outcome="Consumers rest when the broker has nothing for them at some moment; messages that "
        "were fetched before still run.",
        is_resting=all(consumer.paused_event.is_set() for consumer in consumers),
    )


def resume(capture: Capture, queue: str) -> ConsumerResult:
    """Fetch again."""
    for consumer in _consumers(capture, queue):
        if consumer.paused:
            consumer.resume()
    return ConsumerResult(outcome="Consumers fetch again, within a few seconds.", is_resting=False)


def _consumers(capture: Capture, queue: str) -> list[Any]:
    found = [
        consumer
        for worker in list(capture.process.workers)
        for name, consumer in list(worker.consumers.items())
        if name in (queue, f"{queue}.DQ")
    ]
    if not found:
        raise ActionError(f"This worker does not consume the queue {queue!r}.")
    return found
