"""Filters as they come in requests (docs/filters.md): read, and refused when they are too slow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from z4j_brain.api import problems
from z4j_brain.filters import Filter, FilterError, parse_filter

_QUERY_CANCELED = "57014"
"""SQLSTATE of a statement that ran into its time-out (PostgreSQL manual, appendix A)."""
_TOO_SLOW = (
    "This filter takes too long on so many tasks. Add since: or a term that an index serves, such"
    " as state:, queue:, name: or exception:."
)


def read_filter(text: str, place: str) -> Filter:
    """Return what a filter means; the problem of one that cannot be read tells where, after
    `place`, in characters.
    """
    try:
        return parse_filter(text)
    except FilterError as error:
        raise problems.invalid_input(f"{place}[{error.start}:{error.end}]", error.message) from None


@contextmanager
def refusing_slow_filters(place: str) -> Iterator[None]:
    """Turn the time-out of a query by a filter into a problem that says what helps."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _QUERY_CANCELED:
            raise
        raise problems.invalid_input(place, _TOO_SLOW) from None
