"""Write a filter as text that reads as the same filter."""

from __future__ import annotations

from z4j_brain.filters.moments import write_moment
from z4j_brain.filters.tree import (
    Condition,
    Filter,
    FirstAt,
    IdStartsWith,
    StateIs,
    Term,
    TextContains,
    TextIs,
    Word,
)


def format_filter(filter: Filter) -> str:
    """Return the canonical text. Values must not contain double quotes, as none can."""
    return " ".join(_term(term) for term in filter.terms)


def _term(term: Term) -> str:
    return ("-" if term.negated else "") + _condition(term.condition)


def _condition(condition: Condition) -> str:
    match condition:
        case StateIs(states):
            return f"state:{','.join(states)}"
        case TextIs(key, values):
            return f"{key}:{_values(values)}"
        case TextContains(key, values):
            return f"{key}:~{_values(values)}"
        case IdStartsWith(values):
            return f"id:{_values(values)}"
        case FirstAt(edge, moment):
            return f"{edge}:{write_moment(moment)}"
        case Word(text):
            needs_quotes = ":" in text or text.startswith("-") or _has_space(text)
            return f'"{text}"' if needs_quotes else text


def _values(values: tuple[str, ...]) -> str:
    return ",".join(_value(value) for value in values)


def _value(value: str) -> str:
    if "," in value or value.startswith("~") or _has_space(value):
        return f'"{value}"'
    return value


def _has_space(text: str) -> bool:
    return any(character.isspace() for character in text)
