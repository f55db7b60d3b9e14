"""One delivery of a message to this process, and the task that the present thread runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from z4j_dramatiq.facts import attempt_of, canonical
from z4j_dramatiq.marks import marks_of

_MARK = "z4j_run"


class Run:
    """What is known of one delivery."""

    __slots__ = (
        "attempt",
        "began",
        "has_started",
        "is_cancelled",
        "is_ending",
        "is_terminated",
        "marks",
        "name",
        "options",
        "original",
        "queue",
        "retry_at",
        "run_us",
        "task_id",
        "thread",
        "will_retry",
    )

    def __init__(self, message: Any) -> None:
        # Each look through Dramatiq's proxy costs a call.
        message = getattr(message, "_message", message)
        options = message.options
        self.task_id = str(message.message_id)
        self.name = str(message.actor_name)
        self.queue = canonical(str(message.queue_name))
        # Dramatiq counts up in the same dict while the run's end is handled.
        self.options = dict(options)
        self.attempt = attempt_of(options)
        self.marks = marks_of(options)
        self.original: bytes | None = None
        self.began = 0
        self.run_us: int | None = None
        self.thread = 0
        self.has_started = False
        self.is_ending = False
        self.is_cancelled = False
        self.is_terminated = False
        self.will_retry = False
        self.retry_at: int | None = None


current: ContextVar[Run | None] = ContextVar("z4j_dramatiq_run", default=None)
"""The run that this thread is in; coroutines of asynchronous actors inherit it."""


def run_of(message: Any) -> Run:
    """Return the run of a delivered message; made at the first question."""
    run: Run | None = message.__dict__.get(_MARK)
    if run is None:
        run = message.__dict__[_MARK] = Run(message)
    return run


def known_run(message: Any) -> Run | None:
    """Return the run of a delivered message if there is one already."""
    run: Run | None = message.__dict__.get(_MARK)
    return run
