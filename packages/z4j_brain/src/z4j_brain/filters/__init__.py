"""The filter language of the task list: text to a typed tree and back, without any database."""

from z4j_brain.filters.formatting import format_filter
from z4j_brain.filters.parsing import parse_filter
from z4j_brain.filters.tree import (
    MAX_LENGTH,
    MAX_TERMS,
    Ago,
    At,
    Filter,
    FilterError,
    FirstAt,
    IdStartsWith,
    StateIs,
    Term,
    TextContains,
    TextIs,
    Word,
)

__all__ = [
    "MAX_LENGTH",
    "MAX_TERMS",
    "Ago",
    "At",
    "Filter",
    "FilterError",
    "FirstAt",
    "IdStartsWith",
    "StateIs",
    "Term",
    "TextContains",
    "TextIs",
    "Word",
    "format_filter",
    "parse_filter",
]
