"""Objects that JSON does not know, as text.

Nothing here calls a method of an object of unknown class except ``repr``, and that guarded: a
captured argument may be anything.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import pathlib
import uuid
from collections.abc import Callable
from typing import Any, Final

LARGEST_INTEGER_BITS = 128

_EXACT_TYPES: Final[dict[type, Callable[[object], str]]] = {
    datetime.datetime: lambda value: value.isoformat(),  # type: ignore[attr-defined]
    datetime.date: lambda value: value.isoformat(),  # type: ignore[attr-defined]
    datetime.time: lambda value: value.isoformat(),  # type: ignore[attr-defined]
    datetime.timedelta: str,
    decimal.Decimal: str,
    uuid.UUID: str,
    pathlib.PosixPath: str,
    pathlib.PurePosixPath: str,
    pathlib.WindowsPath: str,
    pathlib.PureWindowsPath: str,
}


def float_as_json(value: float) -> float | str:
    """Return ``value``, or its name when it is not finite and JSON cannot hold it."""
    return value if math.isfinite(value) else repr(value)


def integer_as_json(value: int) -> int | str:
    """Return ``value``, or a description when it is too long to be written out."""
    bits = int.bit_length(value)
    return value if bits <= LARGEST_INTEGER_BITS else f"<integer of {bits} bits>"


def as_text(value: Any, limit: int) -> str:
    """Describe an object in about ``limit`` characters; it may still hold secrets."""
    if issubclass(type(value), str):
        return str.__str__(value)
    if issubclass(type(value), (bytes, bytearray, memoryview)):
        return _bytes_as_text(value, limit)
    exact = _EXACT_TYPES.get(type(value))
    try:
        text = exact(value) if exact is not None else repr(value)
        if isinstance(value, enum.Enum) and exact is None:
            text = f"{type(value).__name__}.{value.name}"
        # A subclass of str could answer anything to the questions that follow.
        return str.__str__(text)
    except Exception:  # noqa: BLE001 - a stranger's __repr__
        return f"<unprintable {type.__getattribute__(type(value), '__name__')}>"


def _bytes_as_text(value: bytes | bytearray | memoryview, limit: int) -> str:
    if isinstance(value, memoryview):
        try:
            return f"<memory of {value.nbytes} bytes>"
        except ValueError:
            return "<released memory>"
    text = repr(bytes(value[:limit]))
    return text if len(value) <= limit else f"{text[:-1]} … {len(value)} bytes'"
