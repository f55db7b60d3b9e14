"""The text of an API key: `z4j_key_` and base64url (no padding) of

====  ========  =================================================================
16 B  key id    a UUID
32 B  secret    stored as HMAC-SHA256 under a key derived from `Z4J_SECRET`
 4 B  checksum  first bytes of SHA-256 over the prefix and both of the above
====  ========  =================================================================

The checksum finds typing errors without the database, and lets scanners of source code tell a key
from text that looks like one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import uuid

import msgspec

PREFIX = "z4j_key_"
SECRET_BYTES = 32
_CHECKSUM_BYTES = 4
_BYTES = 16 + SECRET_BYTES + _CHECKSUM_BYTES
_CHARACTERS = -(-_BYTES * 4 // 3)
_ANYWHERE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{{_CHARACTERS}}}")


class KeyText(msgspec.Struct, frozen=True):
    """The parts of a key. Its `repr` shows the id only."""

    key_id: uuid.UUID
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyText(key_id={self.key_id})"

    def text(self) -> str:
        """Return what its owner is shown once."""
        body = self.key_id.bytes + self.secret
        return PREFIX + base64.urlsafe_b64encode(body + _checksum(body)).rstrip(b"=").decode()


def parse(text: str) -> KeyText | None:
    """Take a key apart; None when it was cut or mistyped, or is no key."""
    encoded = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or len(encoded) != _CHARACTERS:
        return None
    try:
        data = base64.b64decode(encoded + "=" * (-_CHARACTERS % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    found = KeyText(uuid.UUID(bytes=body[:16]), body[16:])
    is_right = hmac.compare_digest(_checksum(body), checksum) and found.text() == text
    return found if is_right else None


def is_in(text: str) -> bool:
    """Tell whether something that looks like a whole key stands anywhere in a text."""
    return _ANYWHERE.search(text) is not None


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + body).digest()[:_CHECKSUM_BYTES]
