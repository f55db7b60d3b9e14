"""Read the filter language (docs/filters.md). Knows no database and no clock."""

from __future__ import annotations

from typing import get_args

from z4j_brain.filters.moments import read_moment
from z4j_brain.filters.tree import (
    MAX_LENGTH,
    MAX_TERMS,
    Condition,
    ContainsKey,
    ExactKey,
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
from z4j_brain.filters.words import RawWord, split_values, split_words, unquote
from z4j_core.fold import STATES

_CONTAINS_KEYS: tuple[ContainsKey, ...] = get_args(ContainsKey)
_EXACT_KEYS: tuple[ExactKey, ...] = get_args(ExactKey)
KEYS = ("state", *_CONTAINS_KEYS, "id", "since", "until", *_EXACT_KEYS)


def parse_filter(text: str) -> Filter:
    """Return what the text means.

    Raises FilterError, which points to the word that cannot be read and names what may stand
    there. At most `MAX_LENGTH` characters and `MAX_TERMS` terms.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"At most {MAX_LENGTH} characters.", MAX_LENGTH, len(text))
    _refuse_unstorable(text)
    terms: list[Term] = []
    for word in split_words(text):
        if len(terms) == MAX_TERMS:
            raise FilterError(f"At most {MAX_TERMS} terms.", word.start, len(text))
        terms.append(_term(word))
    return Filter(tuple(terms))


def _refuse_unstorable(text: str) -> None:
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise FilterError("A character that no text can have.", at, at + 1)


def _term(word: RawWord) -> Term:
    is_negated = len(word.text) > 1 and word.text.startswith("-")
    rest = word.text[1:] if is_negated else word.text
    key, colon, value = ("", "", "") if rest.startswith('"') else rest.partition(":")
    if colon:
        return Term(_condition(word, key, value), is_negated)
    text = unquote(rest)
    if not text:
        raise word.error("Empty quotes find nothing; write a word between them.")
    return Term(Word(text), is_negated)


def _condition(word: RawWord, key: str, value: str) -> Condition:
    if key not in KEYS:
        raise word.error(f"There is no key “{key}”. Keys: {', '.join(KEYS)}.")
    is_part = value.startswith("~")
    values = split_values(value[1:] if is_part else value)
    if not values:
        raise word.error(f"“{key}:” needs a value.")
    for contains_key in _CONTAINS_KEYS:
        if key == contains_key:
            return (TextContains if is_part else TextIs)(contains_key, values)
    if is_part:
        allowed = ", ".join(_CONTAINS_KEYS)
        raise word.error(f"“{key}:” takes whole values; “~” is for {allowed}.")
    for exact_key in _EXACT_KEYS:
        if key == exact_key:
            return TextIs(exact_key, values)
    if key == "state":
        return _states(word, values)
    if key == "id":
        return IdStartsWith(values)
    return _moment(word, key, values)


def _states(word: RawWord, values: tuple[str, ...]) -> StateIs:
    for value in values:
        if value not in STATES:
            raise word.error(f"There is no state “{value}”. States: {', '.join(STATES)}.")
    return StateIs(values)


def _moment(word: RawWord, key: str, values: tuple[str, ...]) -> FirstAt:
    moment = read_moment(values[0])
    if moment is None or len(values) > 1:
        raise word.error(f"“{key}:” takes one time: 15m, 1h, 7d, 2026-01-31 or 2026-01-31T12:00.")
    return FirstAt("since" if key == "since" else "until", moment)
