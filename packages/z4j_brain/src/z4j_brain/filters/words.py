"""Cut a filter into words and a word into values; double quotes keep spaces and commas together."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from z4j_brain.filters.tree import FilterError


class RawWord(msgspec.Struct, frozen=True):
    """A word as it was typed, and its offsets in the filter."""

    text: str
    start: int
    end: int

    def error(self, message: str) -> FilterError:
        """Return the error that points to this word."""
        return FilterError(message, self.start, self.end)


def split_words(text: str) -> Iterator[RawWord]:
    """Yield the words between white space. Raises FilterError for a quote that stays open."""
    start: int | None = None
    is_quoted = False
    for at, character in enumerate(text):
        if character == '"':
            is_quoted = not is_quoted
        if character.isspace() and not is_quoted:
            if start is not None:
                yield RawWord(text[start:at], start, at)
            start = None
        elif start is None:
            start = at
    if start is not None:
        word = RawWord(text[start:], start, len(text))
        if is_quoted:
            raise word.error("A double quote is not closed.")
        yield word


def split_values(text: str) -> tuple[str, ...]:
    """Return the values between commas, without quotes and without empty ones."""
    values, value, is_quoted = [], "", False
    for character in text:
        if character == '"':
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            values.append(value)
            value = ""
        else:
            value += character
    values.append(value)
    return tuple(value for value in values if value)


def unquote(text: str) -> str:
    """Return the text without its double quotes."""
    return text.replace('"', "")
