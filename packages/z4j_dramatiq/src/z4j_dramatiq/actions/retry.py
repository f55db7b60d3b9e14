"""Run a task again: with the arguments it had, or with others."""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import printed
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import EditedRetryParams, RetryParams, RetryResult, recorded_arguments
from z4j_dramatiq.brokers import choose
from z4j_dramatiq.capture import Capture
from z4j_dramatiq.connections import publishing
from z4j_dramatiq.facts import canonical
from z4j_dramatiq.marks import mark
from z4j_dramatiq.original import lasting_options, unpack

MAX_DELAY_S = 7 * 86_400
"""Dramatiq on Redis keeps no delayed message for longer."""
MAX_QUEUE = 255


def retry(capture: Capture, brokers: list[Any], task: TaskRef, params: RetryParams) -> RetryResult:
    """Publish a new message with the very arguments of the old one.

    They come from this process's memory, else from the sealed message that the server kept, else
    from the record.
    """
    message = _kept(capture, task) or _sealed(capture, task)
    if message is not None:
        args, kwargs = message.args, message.kwargs
    else:
        args, kwargs = recorded_arguments(task)
    return _publish(capture, brokers, task, message, params, args, kwargs)


def retry_edited(
    capture: Capture, brokers: list[Any], task: TaskRef, params: EditedRetryParams
) -> RetryResult:
    """Publish a new message with the arguments given."""
    message = _kept(capture, task)
    return _publish(capture, brokers, task, message, params, params.args, params.kwargs)


def _kept(capture: Capture, task: TaskRef) -> Any:
    data = capture.kept.get(task.task_id)
    return None if data is None else _read(data, "kept")


def _sealed(capture: Capture, task: TaskRef) -> Any:
    data = capture.process.host.original_of("dramatiq", task)
    return None if data is None else _read(data, "sealed")


def _read(data: bytes, what: str) -> Any:
    try:
        return unpack(data)
    except Exception as error:  # noqa: BLE001 - an encoder of the application's own
        raise ActionError(
            f"The {what} message of this task cannot be read ({type(error).__name__}): it was "
            "written with another encoder. Use the edited retry and give the arguments."
        ) from None


def _publish(
    capture: Capture,
    brokers: list[Any],
    task: TaskRef,
    message: Any,
    params: RetryParams | EditedRetryParams,
    args: Any,
    kwargs: dict[str, Any],
) -> RetryResult:
    name = message.actor_name if message is not None else task.name
    broker = choose(brokers, f"the actor {name!r}", lambda one: name in one.actors)
    actor = broker.actors.get(name)
    if actor is None:
        raise ActionError(
            f"This process knows no actor {printed(name)[:255]!r}; send the command to a worker "
            "that imports its module."
        )
    if task.task_id in capture.running:
        raise ActionError("The task is running now; wait for its end or terminate it first.")
    new = actor.message_with_options(args=tuple(args), kwargs=kwargs)
    options = {} if message is None else lasting_options(broker, message.options)
    mark(options, {"retried_from": task.task_id[:MAX_QUEUE]})
    queue = _queue(broker, params.queue, task.queue or actor.queue_name)
    new = new.copy(queue_name=queue, options=options)
    try:
        with publishing(broker):
            broker.enqueue(new, delay=_delay_ms(params.delay_s))
    except Exception as error:  # noqa: BLE001 - brokers and encoders raise what they like
        raise ActionError(
            f"The task could not be published ({type(error).__name__}: {printed(error)}). "
            "Check the arguments and the broker, then try again."
        ) from error
    return RetryResult(task_id=str(new.message_id))


def _queue(broker: Any, wanted: str | None, usual: str) -> str:
    """A queue that nobody has declared is one that no worker would ever look into."""
    queue = canonical(wanted or usual)
    if queue not in {canonical(one) for one in broker.get_declared_queues()}:
        raise ActionError(
            f"No actor of this process uses the queue {queue[:MAX_QUEUE]!r}, so its messages would "
            "wait for ever. Check the spelling."
        )
    return queue


def _delay_ms(delay_s: float | None) -> int | None:
    if delay_s is not None and not 0 <= delay_s <= MAX_DELAY_S:
        raise ActionError(f"delay_s must be from 0 to {MAX_DELAY_S} seconds.")
    return int(delay_s * 1000) if delay_s else None
