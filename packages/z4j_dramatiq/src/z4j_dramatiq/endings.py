"""How a run ended, judged after every middleware has handled its end.

=============================================  ====================================================
what happened                                  kind
=============================================  ====================================================
returned                                       succeeded
raised, and it was enqueued once more          retried
raised, and it was not                         failed: a dead letter, unless nobody retries at all
terminated through z4j                         cancelled, and a dead letter
skipped: cancelled, too old, another's reason  cancelled; too old is a dead letter
a middleware failed it before it could start   rejected, and a dead letter
no such actor                                  rejected, and a dead letter
=============================================  ====================================================
"""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import exception_of, printed
from z4j_core.events import Kind
from z4j_dramatiq.facts import traceback_of
from z4j_dramatiq.interrupt import Terminated
from z4j_dramatiq.run import Run


def ending_of(
    run: Run, message: Any, result: Any, error: BaseException | None
) -> tuple[Kind, dict[str, Any]]:
    """Return the last event of a run."""
    if error is None:
        if message.failed and not run.has_started:
            return Kind.REJECTED, {
                "reason": "A middleware failed the message; it is a dead letter."
            }
        return Kind.SUCCEEDED, {"result": result}
    if isinstance(error, Terminated) and not run.will_retry:
        return Kind.CANCELLED, {"reason": "The run was terminated; its message is a dead letter."}
    data: dict[str, Any] = {"exception": exception_of(error), **traceback_of(error)}
    if run.will_retry:
        if run.retry_at is not None:
            data["retry_at"] = run.retry_at
        return Kind.RETRIED, data
    if message.failed:
        data["reason"] = "The message is a dead letter of its queue."
    else:
        data["reason"] = "Nothing retries this message, and it is no dead letter either."
    return Kind.FAILED, data


def skipped(run: Run, message: Any) -> dict[str, Any]:
    """Return why a message was not started."""
    if run.is_cancelled:
        return {"reason": "The task was cancelled through z4j."}
    if message.failed:
        why = printed(message._exception) if message._exception is not None else "no reason given"
        return {"reason": f"A middleware skipped the message, a dead letter now: {why}"}
    return {"reason": "A middleware skipped the message."}


def not_run(is_unknown: bool) -> str:
    """Return why a message became a dead letter before any thread had it."""
    if is_unknown:
        return "This worker knows no actor of that name; check its modules. It is a dead letter."
    return "The message became a dead letter before it could start."
