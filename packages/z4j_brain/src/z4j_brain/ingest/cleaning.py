"""Make what an agent sent storable: redacted once more, free of NUL, within the columns' ranges.

PostgreSQL's `text` cannot hold the character NUL, and JSON text with the escape of one cannot
become `jsonb`, so every NUL turns into U+FFFD, on both databases alike.
"""

from __future__ import annotations

import re

import msgspec

from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_core.events import WireEvent
from z4j_core.fold import NO_DETAILS, Details, ExceptionDetails
from z4j_core.redaction import RedactionError

_MAX_ID = 255
_MAX_TYPE = 255
_MAX_MESSAGE = 4_096
_MAX_REASON = 1_024
_LATEST = (1 << 52) - 1
_SMALLEST, _GREATEST = -(1 << 15), (1 << 15) - 1
_ESCAPE = re.compile(rb"\\(u0000|.)", re.DOTALL)
_ESCAPED_NUL = b"\\u0000"
_REPLACEMENT = "\ufffd"

_details = msgspec.json.Decoder(Details).decode


class Unstorable(ValueError):
    """The event cannot be stored; the message holds nothing of its content."""


def clean_payload(payload: bytes, cleaner: Cleaner = BUILT_IN) -> bytes:
    """Return an event's payload redacted and without NUL; raise `Unstorable`."""
    try:
        cleaned = cleaner.payload(payload)
    except RedactionError as error:
        raise Unstorable(str(error)) from None
    if not cleaned.lstrip().startswith(b"{"):
        raise Unstorable("the payload is not a JSON object")
    if cleaned is not payload and b'"exact"' in cleaned:
        cleaned = _no_longer_exact(cleaned)
    return without_escaped_nul(cleaned)


def _no_longer_exact(payload: bytes) -> bytes:
    """A mask must never be sent to a worker in the place of an argument."""
    data = msgspec.json.decode(payload)
    return msgspec.json.encode(data | {"exact": False}) if data.get("exact") else payload


def clean_event(event: WireEvent) -> WireEvent:
    """Return the event without NUL in its texts."""
    if (
        "\0" not in event.task_id
        and "\0" not in (event.name or "")
        and "\0" not in (event.queue or "")
    ):
        return event
    return msgspec.structs.replace(
        event,
        task_id=without_nul(event.task_id),
        name=None if event.name is None else without_nul(event.name),
        queue=None if event.queue is None else without_nul(event.queue),
    )


def clean_result(result: bytes, cleaner: Cleaner = BUILT_IN) -> str:
    """Return a command's result as redacted JSON text; what is no JSON becomes null."""
    try:
        return without_escaped_nul(cleaner.results.json(result)).decode()
    except RedactionError:
        return "null"


def clean_text(text: str, cleaner: Cleaner = BUILT_IN) -> str:
    """Return a message redacted and without NUL."""
    return without_nul(cleaner.events.text(text))


def without_nul(text: str) -> str:
    """Return the text with every NUL replaced."""
    return text.replace("\0", _REPLACEMENT) if "\0" in text else text


def details_of(payload: bytes) -> Details:
    """Return what the task's row is made of; what is malformed or out of range counts as untold."""
    try:
        details = _details(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NO_DETAILS
    details.eta = _within(details.eta, 0, _LATEST)
    details.published_at = _within(details.published_at, 0, _LATEST)
    details.run_us = _within(details.run_us, 0, _LATEST)
    details.since = _within(details.since, 0, _LATEST)
    if details.reason is not None:
        details.reason = details.reason[:_MAX_REASON]
    details.priority = _within(details.priority, _SMALLEST, _GREATEST)
    details.parent_id = _identifier(details.parent_id)
    details.root_id = _identifier(details.root_id)
    details.group_id = _identifier(details.group_id)
    details.retried_from = _identifier(details.retried_from)
    if details.exception is not None:
        details.exception = ExceptionDetails(
            details.exception.type[:_MAX_TYPE], details.exception.message[:_MAX_MESSAGE]
        )
    return details


def _within(value: int | None, least: int, greatest: int) -> int | None:
    return value if value is not None and least <= value <= greatest else None


def _identifier(value: str | None) -> str | None:
    return value if value is not None and len(value) <= _MAX_ID else None


def without_escaped_nul(payload: bytes) -> bytes:
    """Return JSON text with every escape of a NUL replaced."""
    if _ESCAPED_NUL not in payload:
        return payload
    # Escapes are taken one by one from the left, so a backslash that is itself escaped is no start.
    return _ESCAPE.sub(
        lambda found: _REPLACEMENT.encode() if found[1] == b"u0000" else found[0], payload
    )
