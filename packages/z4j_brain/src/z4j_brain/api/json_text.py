"""Stored JSON text as a part of an answer, without rounding a number on the way."""

from __future__ import annotations

from typing import Any

import msgspec


def as_json(text: str | None) -> Any:
    """Return a value that is encoded as the JSON that the text is; other text as a string."""
    if text is None:
        return None
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return text
    return msgspec.Raw(text.encode())
