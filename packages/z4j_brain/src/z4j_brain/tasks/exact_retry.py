"""Whether a task can be run again with the arguments that it really had, said in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from z4j_brain.store.actions import OnlineWorker
from z4j_brain.store.events import EventRecord
from z4j_brain.store.sealed_payloads import SealRecord
from z4j_brain.store.tasks import FullTaskRecord

MAX_REASON = 300
_MEMORY = " The worker that ran it may still remember them; otherwise a retry is refused."


class ExactRetry(msgspec.Struct, frozen=True):
    """Where the real arguments would come from, and why not from elsewhere.

    ``record``: the previews are the real ones. ``sealed``: an agent that has the key `key_id` can
    open them. ``none``: only the memory of a worker may hold them.
    """

    source: Literal["record", "sealed", "none"]
    text: str
    key_id: str | None = None
    can_be_opened: bool = False


def exact_retry(
    task: FullTaskRecord,
    seal: SealRecord | None,
    events: Iterable[EventRecord],
    online: Iterable[OnlineWorker],
) -> ExactRetry:
    """Say it for one task, by its newest events and the workers that are online."""
    if task.exact:
        return ExactRetry(
            "record", "Exact retry possible: the record holds the real arguments.", None, True
        )
    online = list(online)
    if seal is None:
        return ExactRetry("none", f"{_reason(task, events, online)}{_MEMORY}")
    key = seal.key_id
    having = sum(worker.has_key(task.engine, key) for worker in online)
    if not having:
        return ExactRetry(
            "sealed",
            f"Sealed with key {key}, which no online worker has. Append it to the Z4J_SEAL_KEY of"
            " a worker and restart that; if the key is gone, so are the arguments.",
            key,
        )
    workers = "one online worker has" if having == 1 else f"{having} online workers have"
    text = f"Exact retry possible: sealed with key {key}, which {workers}. The server cannot read"
    return ExactRetry("sealed", f"{text} the arguments.", key, True)


class _Said(msgspec.Struct):
    unsealed: str | None = None


def _reason(task: FullTaskRecord, events: Iterable[EventRecord], online: list[OnlineWorker]) -> str:
    """Return why nothing is sealed, by what the agent said."""
    said = None
    for event in events:
        if '"unsealed"' in event.payload:
            said = _unsealed(event.payload) or said
    if said is not None:
        return f"The real arguments were not sealed: {said[:MAX_REASON]}"
    if task.received_at is None and task.state == "queued":
        return "The real arguments are not known: they are sealed when a worker receives the task."
    unknown = (
        "The real arguments are not known: the record holds a preview, redacted or shortened, and"
        " the worker sealed nothing."
    )
    if any(worker.seals(task.engine) for worker in online):
        return (
            f"{unknown} There are workers now that seal; this one did not, or a rule of the project"
            " hides what its worker had no reason to seal."
        )
    return f"{unknown} For the next ones, set Z4J_SEAL_KEY on the workers."


def _unsealed(payload: str) -> str | None:
    try:
        return msgspec.json.decode(payload, type=_Said).unsealed
    except (msgspec.DecodeError, RecursionError):
        return None
