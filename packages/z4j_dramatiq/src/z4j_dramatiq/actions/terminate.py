"""End a running task by an exception in its thread."""

from __future__ import annotations

from dramatiq.middleware.threading import (
    current_platform,
    is_gevent_active,
    supported_platforms,
)

from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult
from z4j_dramatiq.capture import Capture


def absence(capture: Capture) -> str | None:
    """Return why a running task cannot be ended from this process, None if it can."""
    if not capture.process.is_worker:
        return "Only a worker can terminate a task, and this process is none."
    if is_gevent_active():
        return "Under gevent all tasks share one thread, so no single one can be interrupted."
    if current_platform not in supported_platforms:
        return f"{current_platform} cannot raise an exception in another thread."
    return None


def terminate(capture: Capture, task: TaskRef) -> CancelResult:
    """Raise an exception in the thread that runs the task."""
    if not capture.running.terminate(task.task_id):
        raise ActionError("This process does not run the task; it may have ended.")
    return CancelResult(
        outcome="An exception was raised in the task's thread. It takes effect when the thread is "
        "back in Python code: a call into C, such as a long query or sleep, ends first."
    )
