"""What the MACs of the audit log cover: the canonical encoding, with a test vector in the tests.

A text is UTF-8; a number is a signed integer of 8 bytes, big-endian; a chain is the 16 bytes of
its UUID. An encoding is its parts one after the other, each behind its length in bytes (4 bytes,
unsigned, big-endian); a part that is null is the length FF FF FF FF and nothing. So no two
different lists of parts have the same encoding. Every MAC is HMAC-SHA256 (RFC 2104).

- a row: ``z4j audit row 1``, then every column of `AuditRow` but `mac`, in the order of the Struct
- a head: ``z4j audit head 1``, chain, number, last, key_id
"""

from __future__ import annotations

import hmac
import struct
import uuid

from z4j_brain.store.audit import AuditRow, Head

MAC_BYTES = 32
START = bytes(MAC_BYTES)
"""Stands for the MAC before the first row."""
_ROW, _HEAD = b"z4j audit row 1", b"z4j audit head 1"
_NULL = b"\xff\xff\xff\xff"
_length = struct.Struct(">I").pack
_number = struct.Struct(">q").pack
_number_and_at = struct.Struct(">IqIq").pack
_BEGINNING = _length(len(_ROW)) + _ROW + _length(16)


def join(*parts: bytes | None) -> bytes:
    """Return the encoding of these parts."""
    return b"".join(
        [_NULL if part is None else _length(len(part)) + part for part in parts],
    )


def row_mac(key: bytes, row: AuditRow) -> bytes:
    """Return the MAC that a row must have; `row.mac` is not looked at."""
    # As `join`, but with its fixed parts packed at once: this is what verifying spends its time on.
    parts = [_BEGINNING, row.chain.bytes, _number_and_at(8, row.number, 8, row.at)]
    for text in (
        row.actor_kind,
        row.actor_id,
        row.actor_name,
        row.action,
        row.object_kind,
        row.object_id,
        row.object_name,
        row.before,
        row.after,
        row.address,
        row.request_id,
        row.key_id,
    ):
        if text is None:
            parts.append(_NULL)
        else:
            encoded = text.encode()
            parts += (_length(len(encoded)), encoded)
    parts += (_length(len(row.previous)), row.previous)
    return hmac.digest(key, b"".join(parts), "sha256")


def head_of(key: bytes, chain: uuid.UUID, number: int, last: bytes) -> Head:
    """Return the head of a chain that ends with this row."""
    name = key_id(key)
    encoded = join(_HEAD, chain.bytes, _number(number), last, name.encode())
    return Head(chain, number, last, name, hmac.digest(key, encoded, "sha256"))


def is_genuine(key: bytes, head: Head) -> bool:
    """Tell whether a head was made with this key, for its chain, number and row."""
    try:
        own = head_of(key, head.chain, head.number, head.last)
    except struct.error:  # a number that no chain reaches
        return False
    return own.key_id == head.key_id and hmac.compare_digest(own.mac, head.mac)


def key_id(key: bytes) -> str:
    """Return a name for a key that tells nothing of it: 16 hexadecimal digits."""
    return hmac.digest(key, b"z4j audit key id", "sha256")[:8].hex()
