"""Read and write the moments of `since:` and `until:`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from z4j_brain.filters.tree import Ago, At
from z4j_brain.store.types import to_datetime, to_micros

_SPAN = re.compile(r"([0-9]{1,6})([smhdw])")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_LATEST = (1 << 52) - 1


def read_moment(text: str) -> Ago | At | None:
    """Return the moment, or None when it is none. A time without a zone is in UTC."""
    span = _SPAN.fullmatch(text)
    if span:
        return Ago(int(span[1]), span[2])
    if not _TIME.fullmatch(text):
        return None
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return At(min(max(to_micros(value), 0), _LATEST))
    except (ValueError, OverflowError):
        return None


def write_moment(moment: Ago | At) -> str:
    """Return the text that reads as this moment."""
    if isinstance(moment, Ago):
        return f"{moment.count}{moment.unit}"
    return to_datetime(moment.micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
