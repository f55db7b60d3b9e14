"""What the schedulers of Celery have in common: when they attach, what they publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from z4j_agent.facts import printed
from z4j_celery.actions.broker import broker
from z4j_celery.actions.retry import PUBLISH_RETRY
from z4j_celery.facts import SCHEDULE
from z4j_celery.guard import guarded
from z4j_celery.schedulers import running
from z4j_core.capability import ActionError
from z4j_core.plugins import Host, RunResult, Scheduler


class BeatScheduler(Scheduler):
    """A scheduler that beat may run in this process."""

    engine: ClassVar[str] = "celery"

    def __init__(self) -> None:
        self._on_beat: Any = None

    def attach(self, host: Host) -> None:
        """Listen whether beat starts in this process."""
        from celery.signals import beat_init

        if self._on_beat is not None:
            return

        @guarded
        def on_beat(sender: Any, **_: Any) -> None:
            running.notice(sender)
            host.ensure_started("scheduler")

        self._on_beat = on_beat
        beat_init.connect(on_beat, weak=False)

    def detach(self) -> None:
        """Stop listening, and leave beat as it was."""
        from celery.signals import beat_init

        if self._on_beat is not None:
            beat_init.disconnect(self._on_beat)
            self._on_beat = None
            running.forget()


def gone(schedule: str) -> ActionError:
    """Return the refusal of an action on a schedule that the store does not have."""
    return ActionError(
        f"There is no schedule {schedule!r} any more: it was deleted or renamed. "
        "Look at the list again."
    )


def publish(
    app: Any,
    schedule: str,
    task: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    options: Mapping[str, Any],
) -> RunResult:
    """Publish a schedule's task as beat does, on a connection of our own.

    Not by the scheduler's `apply_async`: it counts, and writes the schedule's file when it has
    counted enough, which the thread of beat alone may do.
    """
    if not task:
        raise ActionError("The schedule names no task; change it first.")
    headers = {**(options.get("headers") or {}), "celery_beat_task": True, SCHEDULE: schedule}
    options = {"retry": True, "retry_policy": PUBLISH_RETRY, **options, "headers": headers}
    try:
        with broker(app) as connection:
            registered = app.tasks.get(task)
            send = partial(app.send_task, task) if registered is None else registered.apply_async
            sent = send(
                [_now(value) for value in args],
                {name: _now(value) for name, value in kwargs.items()},
                **{**options, "connection": connection},
            )
    except Exception as error:  # noqa: BLE001 - brokers, serialisers and routers raise what they like
        raise ActionError(
            f"The task could not be published ({type(error).__name__}: {printed(error)}). "
            "Check the schedule's queue and arguments and the broker, then try again."
        ) from error
    return RunResult(task_id=str(sent.id))


def _now(value: Any) -> Any:
    """Return an argument; one that is a function is called when the task is published."""
    from celery.beat import BeatLazyFunc

    return value() if isinstance(value, BeatLazyFunc) else value
