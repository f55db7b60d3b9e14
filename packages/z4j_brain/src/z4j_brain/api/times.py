"""Times at the edge: microseconds since the epoch inside, RFC 3339 text outside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, overload

from msgspec import Meta

from z4j_brain.api import problems
from z4j_brain.clock import now
from z4j_brain.store.types import to_datetime, to_micros

__all__ = ["Timestamp", "millis", "now", "parse_rfc3339", "query_time", "rfc3339"]

Timestamp = Annotated[
    str,
    Meta(
        description="RFC 3339 with microseconds, UTC.",
        extra_json_schema={"format": "date-time"},
    ),
]
"""The type of a time in a response Struct."""


@overload
def rfc3339(micros: int) -> str: ...
@overload
def rfc3339(micros: int | None) -> str | None: ...
def rfc3339(micros: int | None) -> str | None:
    """Write a time as `2026-01-31T23:59:59.000001Z`; None stays None."""
    if micros is None:
        return None
    return to_datetime(micros).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def millis(micros: int | None) -> int | None:
    """Round a duration to whole milliseconds; None stays None."""
    return None if micros is None else round(micros / 1_000)


def parse_rfc3339(text: str) -> int:
    """Read a time; one without an offset counts as UTC.

    Raises `ValueError`, and `OverflowError` for one that is not in the years 1 to 9999 in UTC.
    """
    value = datetime.fromisoformat(text)
    micros = to_micros(value if value.tzinfo else value.replace(tzinfo=UTC))
    to_datetime(micros)  # its offset may have taken it beyond what a database takes
    return micros


def query_time(parameter: str, text: str) -> int:
    """Read a time of the query string; one that cannot be read is a problem of that parameter."""
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise problems.invalid_input(
            f"?{parameter}", "This is no time in the form 2026-01-31T23:59:59Z."
        ) from None
