"""Run a task again: with the arguments it had, or with others."""

from __future__ import annotations

from typing import Any

from celery.utils import uuid
from kombu.exceptions import KombuError
from kombu.serialization import loads, prepare_accept_content

from z4j_agent.facts import printed
from z4j_celery.actions.broker import broker
from z4j_celery.actions.local import active_request
from z4j_celery.apps import choose
from z4j_celery.facts import RETRIED_FROM
from z4j_celery.memory import Message, Messages
from z4j_celery.original import unpack
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import EditedRetryParams, RetryParams, RetryResult, recorded_arguments

MAX_DELAY_S = 366 * 86_400
MAX_QUEUE = 255
PUBLISH_RETRY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.4}


def retry(process: Process, messages: Messages, task: TaskRef, params: RetryParams) -> RetryResult:
    """Publish a new task with the very arguments of the old one.

    They come from this worker's memory, else from the sealed message that the server kept, else
    from the record.
    """
    message = messages.get(task.task_id) or _sealed_message(process, task)
    name = _name(task, message)
    app = _app(process, name)
    if message is not None:
        args, kwargs = _arguments_in(app, message)
    else:
        args, kwargs = recorded_arguments(task)
    return _publish(app, task, message, params, name, args, kwargs)


def retry_edited(
    process: Process, messages: Messages, task: TaskRef, params: EditedRetryParams
) -> RetryResult:
    """Publish a new task with the arguments given."""
    message = messages.get(task.task_id)
    name = _name(task, message)
    app = _app(process, name)
    return _publish(app, task, message, params, name, params.args, params.kwargs)


def _sealed_message(process: Process, task: TaskRef) -> Message | None:
    data = process.host.original_of("celery", task)
    if data is None:
        return None
    try:
        return unpack(data)
    except ValueError as error:
        raise ActionError(
            f"The sealed message of this task was opened and cannot be read ({error}). A newer "
            "z4j-celery may have sealed it: update this one, or use the edited retry and give the "
            "arguments."
        ) from None


def _name(task: TaskRef, message: Message | None) -> str:
    name = message.name if message is not None else task.name
    if not name:
        raise ActionError(
            "The name of this task is not recorded, so it cannot be published again. "
            "Publish it from your application."
        )
    return name


def _app(process: Process, name: str) -> Any:
    return choose(process.apps(), f"the task {name!r}", lambda app: name in app.tasks)


def _arguments_in(app: Any, message: Message) -> tuple[Any, Any]:
    """Return the arguments from a message, decoded anew."""
    accept = prepare_accept_content(app.conf.accept_content)  # type: ignore[no-untyped-call]
    try:
        args, kwargs, _ = loads(  # type: ignore[no-untyped-call]
            message.body, message.content_type, message.content_encoding, accept=accept
        )
    except (KombuError, ValueError, TypeError) as error:
        raise ActionError(
            f"The message of this task cannot be read again ({printed(error)}). "
            "Use the edited retry and give the arguments."
        ) from None
    return args, kwargs


def _publish(
    app: Any,
    task: TaskRef,
    message: Message | None,
    params: RetryParams | EditedRetryParams,
    name: str,
    args: Any,
    kwargs: Any,
) -> RetryResult:
    if active_request(task.task_id) is not None:
        raise ActionError("The task is running now; wait for its end or terminate it first.")
    task_id = uuid()
    options = _options(task, message, params)
    try:
        with broker(app) as connection:
            app.send_task(
                name, args=args, kwargs=kwargs, task_id=task_id, connection=connection, **options
            )
    except Exception as error:  # noqa: BLE001 - brokers, serialisers and routers raise what they like
        raise ActionError(
            f"The task could not be published ({type(error).__name__}: {printed(error)}). "
            "Check the queue's name, the arguments and the broker, then try again."
        ) from error
    return RetryResult(task_id=task_id)


def _options(
    task: TaskRef, message: Message | None, params: RetryParams | EditedRetryParams
) -> dict[str, Any]:
    """Keep what makes sense for a second life: queue, priority, time limits, relations; not the
    expiry, which has passed, nor the chain or chord, which went on without it.
    """
    options: dict[str, Any] = {
        "headers": {RETRIED_FROM: task.task_id},
        "retry": True,
        "retry_policy": PUBLISH_RETRY,
        "countdown": _delay(params.delay_s),
        "queue": _queue(params.queue) or task.queue,
    }
    if message is not None:
        options["queue"] = options["queue"] or message.queue
        options["priority"] = message.priority
        options["parent_id"] = message.parent_id
        options["root_id"] = None if message.root_id == task.task_id else message.root_id
        options["time_limit"], options["soft_time_limit"] = message.time_limits
    return {name: value for name, value in options.items() if value is not None}


def _delay(delay_s: float | None) -> float | None:
    if delay_s is not None and not 0 <= delay_s <= MAX_DELAY_S:
        raise ActionError(f"delay_s must be from 0 to {MAX_DELAY_S} seconds.")
    return delay_s or None


def _queue(queue: str | None) -> str | None:
    if queue is not None and not 0 < len(queue) <= MAX_QUEUE:
        raise ActionError(f"The name of the queue must have 1 to {MAX_QUEUE} characters.")
    return queue
