"""Opaque cursors of keyset pages: where the last page ended, in which list.

A cursor is not a secret and not signed. It only chooses a position that its bearer could reach by
paging; what it holds is checked for type and range, and the list that it belongs to is compared.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TypeVar

import msgspec

from z4j_brain.api import problems
from z4j_brain.api.problems import Problem

T = TypeVar("T")
MAX_CURSOR = 2_048
_VERSION = 1
_ESCAPED_NUL = b"\\u0000"


def encode_cursor(scope: str, position: object) -> str:
    """Return the cursor of a position in the list that `scope` names."""
    content = msgspec.json.encode((_VERSION, _digest(scope), position))
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_cursor(scope: str, cursor: str, type: type[T]) -> T:
    """Return the position. Raises the 422 for a cursor of another list or of no list."""
    try:
        content = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        version, digest, position = msgspec.json.decode(content, type=tuple[int, str, msgspec.Raw])
        # No database is asked for a text that it could not hold.
        if (version, digest) != (_VERSION, _digest(scope)) or _ESCAPED_NUL in content:
            raise _foreign()
        return msgspec.json.decode(position, type=type)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        raise _foreign() from None


def _digest(scope: str) -> str:
    return hashlib.sha256(scope.encode(errors="replace")).hexdigest()[:16]


def _foreign() -> Problem:
    return problems.invalid_input(
        "?cursor", "This cursor is not of this list; start again from the first page."
    )
