"""What a person asks for, and why it may be turned down."""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec

from z4j_brain.audit.author import Author
from z4j_brain.redaction.cleaner import BUILT_IN, MAX_SHOWN, Cleaner
from z4j_core.redaction import RedactionError

MAX_PARAMS = 262_144


class Refusal(StrEnum):
    """In what way a request cannot be met."""

    CONFLICT = "conflict"
    INVALID = "invalid"
    BUSY = "busy"


class Fault(msgspec.Struct, frozen=True):
    """What is wrong at one place of a request; `pointer` is a JSON pointer into it."""

    pointer: str
    detail: str


class CommandError(Exception):
    """A command that is not accepted; the message says what to do."""

    def __init__(self, refusal: Refusal, detail: str, faults: list[Fault] | None = None) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail
        self.faults = faults or []


def invalid(pointer: str, detail: str) -> CommandError:
    """Return the error for one wrong place of a request."""
    return CommandError(Refusal.INVALID, detail, [Fault(pointer, detail)])


class CommandRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One action to carry out. `params` is the JSON object as it came, unredacted. Without a user
    the server itself asks; with one, `author` says who, for the audit log. An action of a scheduler
    is asked for with its `store`, and with the scheduler's name as `engine`. What belongs to a bulk
    run is in the audit log with the run.
    """

    project_id: uuid.UUID
    user_id: uuid.UUID | None
    engine: str
    action: str
    params: bytes
    task_id: str | None = None
    queue: str | None = None
    schedule: str | None = None
    store: str | None = None
    worker: str | None = None
    idempotency_key: str | None = None
    author: Author | None = None
    bulk_run: uuid.UUID | None = None

    def __post_init__(self) -> None:
        is_told = self.author is not None or self.bulk_run is not None
        if (self.user_id is not None) != is_told:
            raise TypeError("a command is asked for by a user with an author, or by neither")


class ShownParams(msgspec.Struct, frozen=True):
    """Parameters as they are stored and shown; when `is_exact`, they are the real ones."""

    text: str
    is_exact: bool


def shown_params(params: bytes, cleaner: Cleaner = BUILT_IN) -> ShownParams:
    """Return the parameters without secrets. Raises CommandError when they are no JSON."""
    try:
        if len(params) > MAX_SHOWN:
            value = cleaner.params.value(msgspec.json.decode(params))
            return ShownParams(msgspec.json.encode(value).decode(), is_exact=False)
        redacted = cleaner.params.json(params)
        return ShownParams(redacted.decode(), is_exact=redacted == params)
    except (RedactionError, msgspec.DecodeError, RecursionError, UnicodeError):
        raise invalid(
            "/params", "The parameters must be a JSON object, less deeply nested."
        ) from None
