"""What an engine did, as immutable facts.

An engine plugin makes a `TaskEvent`; the agent redacts its data and turns it into a `WireEvent`,
which is what travels, is stored and is folded into the state of the task.
Times are integers: microseconds since the Unix epoch, UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_core.seal import MAX_SEALED

MAX_TASK_ID = 255
MAX_NAME = 255
MAX_ATTEMPT = 65_535
MAX_PAYLOAD = 65_536

Micros = Annotated[int, Meta(ge=0, lt=1 << 52)]
EngineName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_.-]*$")]
TaskId = Annotated[str, Meta(min_length=1, max_length=MAX_TASK_ID)]
Name = Annotated[str, Meta(max_length=MAX_NAME)]
Attempt = Annotated[int, Meta(ge=0, le=MAX_ATTEMPT)]


class Kind(StrEnum):
    """What happened to a task. The order of the members is the order of a task's life.

    ``unknown`` stands outside of it: nothing happened, but nobody can tell any more what becomes of
    the task. The brain records it; any real fact of a later moment undoes it.

    Until Python 3.12 a member that is read from its class costs a call into Python, as its hash
    does: what runs for every event binds its members once, and the hash is that of the text.
    """

    __hash__ = str.__hash__

    PUBLISHED = "published"
    RECEIVED = "received"
    STARTED = "started"
    RETRIED = "retried"
    REJECTED = "rejected"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


ENDING_KINDS = frozenset({Kind.RETRIED, Kind.REJECTED, Kind.FAILED, Kind.SUCCEEDED, Kind.CANCELLED})


class TaskEvent(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One fact as an engine plugin reports it, before redaction.

    `attempt` counts runs from 0. `data` is free-form; the keys that the brain understands are
    listed in `docs/events.md` (`args`, `kwargs`, `exception`, `published_at`, `parent_id` …).
    `original`, a function without arguments, returns as bytes whatever the engine's own retry needs
    to run the task again exactly. It is called only if that has to be sealed, and never travels.
    """

    kind: Kind
    engine: str
    task_id: str
    occurred_at: int
    attempt: int = 0
    name: str | None = None
    queue: str | None = None
    data: dict[str, Any] = {}


class WireEvent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One fact as it travels; `payload` is the redacted data as JSON, decoded once by the brain.

    `sealed` is an envelope of `z4j_core.seal` that holds the task's original, or None. Decoding
    enforces the limits, so a value of this type is always storable.
    """

    kind: Kind
    engine: EngineName
    task_id: TaskId
    attempt: Attempt
    occurred_at: Micros
    name: Name | None
    queue: Name | None
    payload: Annotated[bytes, Meta(max_length=MAX_PAYLOAD)]
    sealed: Annotated[bytes, Meta(max_length=MAX_SEALED)] | None = None
