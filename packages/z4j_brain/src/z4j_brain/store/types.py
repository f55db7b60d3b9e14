"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, Text, TypeDecorator
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import TEXT as POSTGRES_TEXT
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(micros: int) -> datetime:
    """Convert microseconds since the epoch, exactly."""
    return EPOCH + timedelta(microseconds=micros)


def to_micros(value: datetime) -> int:
    """Convert a timezone-aware time to microseconds since the epoch, exactly."""
    return (value - EPOCH) // timedelta(microseconds=1)


class UtcTime(TypeDecorator[int]):
    """A point in time: an int of microseconds in Python, timestamptz in PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use timestamptz where there is one."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Send a datetime to PostgreSQL, the number to SQLite."""
        if value is None or dialect.name != "postgresql":
            return value
        return to_datetime(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Return microseconds whatever the database gave."""
        return to_micros(value) if isinstance(value, datetime) else value


# Text is compared by code point on both databases, as Python does: the fold depends on it.
ByteText = Text().with_variant(POSTGRES_TEXT(collation="C"), "postgresql")
Id = SqlUuid(as_uuid=True)
Bytes = LargeBinary()


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): sorted by creation time to the millisecond."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
