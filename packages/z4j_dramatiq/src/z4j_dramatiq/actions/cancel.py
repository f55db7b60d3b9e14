"""Keep a waiting task from starting, and say honestly what is known of it."""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import printed
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult
from z4j_dramatiq.brokers import choose
from z4j_dramatiq.cancelled import REFRESH_S, is_shared
from z4j_dramatiq.capture import Capture
from z4j_dramatiq.held import held


def cancel(capture: Capture, brokers: list[Any], task: TaskRef) -> CancelResult:
    """Have the workers refuse the task when its turn comes."""
    task_id = task.task_id
    if task_id in capture.running:
        raise ActionError("The task has begun to run, so a cancel has no effect. Terminate it.")
    broker = choose(brokers, f"the actor {task.name!r}", lambda one: task.name in one.actors)
    is_here = any(message.message_id == task_id for message in held(capture.process.workers))
    if not is_shared(broker) and not is_here:
        raise ActionError(
            "No worker of this process holds the task, and this broker has no place where the "
            "others would learn of a cancel. Only tasks that a worker holds until they are due can "
            "be cancelled here."
        )
    try:
        capture.cancelled.add(broker, [task_id])
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        if not is_here:
            raise ActionError(
                f"The broker did not take the cancel ({type(error).__name__}: {printed(error)}). "
                "Check the connection, then try again."
            ) from error
    where = "This worker holds the task and" if is_here else "No worker of this process holds it."
    who = (
        "drops it when its turn comes."
        if is_here
        else (
            f"Every worker refuses it from {REFRESH_S:.0f} second on; one that has begun goes on."
        )
    )
    return CancelResult(outcome=f"{where} {who}")
