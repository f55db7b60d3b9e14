"""What the server asks an engine about tasks that seem stuck, and what the engine answers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

MAX_PROBED = 100
"""Tasks in one question. Answers of this length pass every limit of redaction."""


class Verdict(StrEnum):
    """What an engine knows of a task now."""

    ENDED = "ended"
    """It has ended, or an attempt has; the fact was emitted as an event."""
    ALIVE = "alive"
    """A worker holds or runs it."""
    UNKNOWN = "unknown"
    """Everybody who could know was asked, and nobody knows."""
    UNANSWERED = "unanswered"
    """Somebody who could know did not answer; ask again later."""


class ProbedTask(msgspec.Struct, frozen=True):
    """A task as the record has it: its state, the attempt that it is in, and who had it last."""

    task_id: Annotated[str, Meta(min_length=1, max_length=255)]
    name: str | None = None
    attempt: Annotated[int, Meta(ge=0)] = 0
    state: str = ""
    worker: str | None = None


class ProbeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tasks in question."""

    tasks: Annotated[list[ProbedTask], Meta(min_length=1, max_length=MAX_PROBED)]


class ProbeResult(msgspec.Struct, frozen=True):
    """One verdict for each task, in the order of the question.

    `asked` completes the sentence "Asked were …", such as ``the worker itself, 2 other workers and
    the result backend``: it is shown as a reason.
    """

    verdicts: list[Verdict]
    asked: str = ""
