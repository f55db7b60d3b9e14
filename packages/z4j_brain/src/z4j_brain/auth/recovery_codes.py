"""Codes on paper, each good for one sign-in without the authenticator app.

A code has 120 random bits, more than the 112 from which NIST SP 800-63B-4, section 3.1.2.2, lets a
verifier store a plain hash. No key is involved: they outlive a change of the server's secrets.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

from z4j_brain.store import second_factors

if TYPE_CHECKING:
    import uuid

    from sqlalchemy import Connection

COUNT = 10
LETTERS = 24
_BYTES = 15
_GROUP = 4


def make() -> list[str]:
    """Make a set of codes, as they are shown: `ABCD-EFGH-…`, six groups in base 32."""
    return [_make_one() for _ in range(COUNT)]


def hash_of(user_id: uuid.UUID, code: str) -> bytes | None:
    """Return what is stored of a code, in any case, with any dashes; None for what is no code."""
    letters = plain(code).upper()
    if len(letters) != LETTERS or not letters.isascii():
        return None
    return hashlib.sha256(b"z4j recovery" + user_id.bytes + letters.encode()).digest()


def plain(code: str) -> str:
    """Return a code as typed, without spaces and dashes."""
    return "".join(code.replace("-", "").split())


def store(connection: Connection, user_id: uuid.UUID, made: list[str], now: int) -> None:
    """Store the hashes of new codes; the former ones work no more."""
    hashes = [hash_of(user_id, code) for code in made]
    second_factors.replace_codes(connection, user_id, [one for one in hashes if one], now)


def _make_one() -> str:
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, LETTERS, _GROUP))
