"""PostgreSQL's binary COPY format, built by hand.

Source: PostgreSQL manual, "COPY", section "Binary Format". A row is its number of fields, then for
each field its length (-1 for null) and its value in the binary form of its type.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any
from uuid import UUID

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
EPOCH_SHIFT_US = 946_684_800_000_000
"""PostgreSQL counts timestamps in microseconds since 2000-01-01 UTC."""

_length = Struct(">i").pack
_int2 = Struct(">ih").pack
_int4 = Struct(">ii").pack
_int8 = Struct(">iq").pack
_bool = Struct(">i?").pack
_uuid = Struct(">i16s").pack


def text(value: str | None) -> bytes:
    """Encode `text`."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def uuid(value: UUID) -> bytes:
    """Encode `uuid`."""
    return _uuid(16, value.bytes)


def timestamp(value: int | None) -> bytes:
    """Encode `timestamptz` from microseconds since 1970."""
    return NULL if value is None else _int8(8, value - EPOCH_SHIFT_US)


def bigint(value: int | None) -> bytes:
    """Encode `bigint`."""
    return NULL if value is None else _int8(8, value)


def integer(value: int | None) -> bytes:
    """Encode `integer`."""
    return NULL if value is None else _int4(4, value)


def smallint(value: int | None) -> bytes:
    """Encode `smallint`."""
    return NULL if value is None else _int2(2, value)


def boolean(value: bool | None) -> bytes:
    """Encode `boolean`."""
    return NULL if value is None else _bool(1, value)


Encode = Callable[[Any], bytes]
