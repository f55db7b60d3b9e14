"""Work in an event loop of the host, from a thread of the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from z4j_agent.facts import printed
from z4j_core.capability import ActionError

TIMEOUT_S = 10.0
Value = TypeVar("Value")


def call_in(events: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Value], who: str) -> Value:
    """Return what an event loop makes of `work`, for an action; raise `ActionError`.

    To be called from another thread than the loop's, which must not be blocked: it waits at most
    10 s. `who` names what runs in the loop, at the beginning of a sentence.
    """
    try:
        future = asyncio.run_coroutine_threadsafe(work, events)
    except RuntimeError:
        work.close()
        raise ActionError(f"{who} has ended. Start it, then try again.") from None
    try:
        return future.result(TIMEOUT_S)
    except ActionError:
        raise
    except TimeoutError:
        future.cancel()
        raise ActionError(
            f"{who} did not do it within {TIMEOUT_S:g} s. Look what became of it, check that its "
            "event loop is not blocked and that its broker answers, then try again."
        ) from None
    except Exception as error:  # noqa: BLE001 - brokers and their libraries raise what they like
        raise ActionError(
            f"{who} did not carry it out ({type(error).__name__}: {printed(error)}). "
            "Check its broker, then try again."
        ) from error
