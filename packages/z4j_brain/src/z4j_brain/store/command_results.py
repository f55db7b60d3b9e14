"""What a result may keep: redacted once more, and of bounded size."""

from __future__ import annotations

import msgspec

from z4j_core.redaction import Redactor

MAX_RESULT_BYTES = 65_536
MAX_ERROR_CHARACTERS = 4_096

_redactor = Redactor(max_bytes=MAX_RESULT_BYTES, max_string=8_192)


def storable_result(result: str) -> str:
    """Return the JSON text to store. Larger than `MAX_RESULT_BYTES` it is cut and marked.

    A result that is not JSON becomes null: agents are not trusted to send what they should.
    """
    try:
        value = msgspec.json.decode(result)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return "null"
    return msgspec.json.encode(_redactor.value(value)).decode()


def storable_error(error: str | None) -> str | None:
    """Return the message to store, at most `MAX_ERROR_CHARACTERS` long."""
    if error is None:
        return None
    text = _redactor.text(error.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return text[:MAX_ERROR_CHARACTERS]
