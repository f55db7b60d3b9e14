"""Walk one value, copying nothing that does not change.

Identity carries the result: a function that returns the object it was given has found nothing to
redact, cut or convert in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from z4j_core.redaction.cards import is_card_integer
from z4j_core.redaction.convert import as_text, float_as_json, integer_as_json
from z4j_core.redaction.counts import ADDED_KEY_RULE, KEY_RULE
from z4j_core.redaction.gates import SHORTEST_ASSIGNMENT, may_hold_secret
from z4j_core.redaction.keys import COUNTED, HIDDEN, PLAIN, KeyJudge
from z4j_core.redaction.limits import Limits, OverBudgetError
from z4j_core.redaction.marks import MASK, MORE_KEY, TOO_DEEP, cut_mark, is_items_mark
from z4j_core.redaction.scanner import TextScanner

LONGEST_KEY = 128
SHORT = 64
"""Strings below this are not counted one by one, see ``Walk.largest_size``."""

_ENTRY_BYTES = 6 * (LONGEST_KEY + SHORT) + 6  # each character as \u0000; quotes, colon, comma
_SEQUENCES = (list, tuple, set, frozenset)
_SMALL = 30_000_000_000_000  # integers nearer to zero cannot be card numbers


class Walk:
    """One pass over one value. Not thread-safe: make one for each value."""

    __slots__ = (
        "_any_key",
        "_characters",
        "_clean_keys",
        "_entries",
        "_has_rules",
        "_keys",
        "_limits",
        "_scanner",
    )

    def __init__(self, keys: KeyJudge, scanner: TextScanner, limits: Limits) -> None:
        self._keys = keys
        self._clean_keys = keys.clean
        self._any_key = keys.has_extra
        self._has_rules = scanner.has_extra
        self._scanner = scanner
        self._limits = limits
        self._entries = 0
        self._characters = 0

    @property
    def largest_size(self) -> int:
        """Upper bound of the JSON encoding in bytes, rough and never too small."""
        return (self._entries + 1) * _ENTRY_BYTES + self._characters * 6

    def value(self, value: Any, depth: int = 1) -> object:
        """Redact a value that stands at ``depth``."""
        kind = type(value)
        if kind is str:
            return self.string(value)
        if kind is dict:
            return self.mapping(value, depth)
        if value is None or kind is bool:
            return value
        if kind is int:
            return self.integer(value)
        if kind is float:
            return float_as_json(value)
        # By the true class: an object can lie to isinstance.
        if issubclass(kind, dict):
            return self.mapping(value, depth)
        if issubclass(kind, _SEQUENCES):
            return self.sequence(value, depth)
        return self.other(value)

    def string(self, text: str) -> str:
        size = len(text)
        if size >= SHORT:
            self._spend(min(size, self._limits.string))
            if size > self._limits.string:
                return self._scanner.scrub_and_cut(text, self._limits.string)
        if not (may_hold_secret(text, self._any_key) or self._has_rules) and text.isascii():
            return text
        scrubbed = self._scanner.scrub(text)
        grown = len(scrubbed)
        if scrubbed is not text and grown >= SHORT:
            # What was counted above counts once.
            self._spend(grown if size < SHORT else max(grown - size, 0))
            if grown > self._limits.string:
                return self._scanner.scrub_and_cut(text, self._limits.string)
        return scrubbed

    def integer(self, number: int) -> int | str:
        if number >= _SMALL and is_card_integer(number):
            self._scanner.counts.add("card-number")
            return MASK
        return integer_as_json(number)

    def other(self, value: Any) -> object:
        """Everything that is not exactly a JSON type."""
        if issubclass(type(value), int):
            return self.integer(int.__int__(value))
        if issubclass(type(value), float):
            return float_as_json(float.__float__(value))
        return self.string(as_text(value, self._limits.string))

    def secret(self, value: Any, kind: int) -> object:
        """The value of a sensitive key."""
        if kind != HIDDEN:
            if value is None or value is True or value is False:
                return value
            if kind == COUNTED and type(value) in (int, float):
                number = self.value(value)
                return MASK if type(number) is str else number
        if type(value) is str and value == MASK:
            return value  # the same object, so that nothing seems to have changed
        self._scanner.counts.add(ADDED_KEY_RULE if kind == HIDDEN else KEY_RULE)
        return MASK

    def mapping(self, value: dict[Any, Any], depth: int) -> object:
        limits = self._limits
        if depth > limits.depth:
            return TOO_DEEP
        if type(value) is not dict or len(value) > limits.items:
            return self._mapping_anew(value, depth)
        self._enter(len(value))
        clean, string, below = self._clean_keys, self.string, depth + 1
        changed: dict[Any, Any] | None = None
        for key, item in value.items():
            kind = clean.get(key) if type(key) is str else None
            if kind is None:
                if self.key(key) is not key:
                    return self._mapping_anew(value, depth)
                kind = self._keys.keep_clean(key)
            # The commonest types first and without a call: this loop is the cost of redaction.
            if kind:
                new = self.secret(item, kind)
            elif (type_ := type(item)) is str:
                if len(item) < SHORTEST_ASSIGNMENT and item.isascii():
                    continue
                new = string(item)
            elif type_ is int and -_SMALL < item < _SMALL:
                continue
            elif type_ is dict:
                new = self.mapping(item, below)
            else:
                new = self.value(item, below)
            if new is not item:
                if changed is None:
                    changed = dict(value)
                changed[key] = new
        redacted = value if changed is None else changed
        return self._named_value(value, redacted) if "value" in value else redacted

    def _mapping_anew(self, value: dict[Any, Any], depth: int) -> object:
        """The road for dicts whose keys change or that are cut."""
        size, room = dict.__len__(value), self._limits.items
        self._enter(min(size, room))
        shown = size if size <= room else room - 1
        result: dict[Any, Any] = {}
        for key, item in islice(dict.items(value), shown):
            new_key = self.key(key)
            kind = self._keys.kind(key) if type(key) is str else PLAIN
            kind = kind or self._keys.kind(new_key)
            result[new_key] = (
                self.value(item, depth + 1) if kind == PLAIN else self.secret(item, kind)
            )
        if shown < size:
            result[MORE_KEY] = cut_mark(size - shown, "entries").strip()
        return self._named_value(value, result) if "value" in result else result

    def _named_value(self, value: dict[Any, Any], redacted: dict[Any, Any]) -> object:
        """``{"name": "password", "value": …}``, as environment variables are often listed."""
        for field in ("name", "key"):
            for name in (redacted.get(field), dict.get(value, field)):
                kind = self._keys.kind_in_text(name, "") if type(name) is str else PLAIN
                if kind != PLAIN:
                    new = self.secret(redacted["value"], kind)
                    return redacted if new is redacted["value"] else {**redacted, "value": new}
        return redacted

    def key(self, key: Any) -> str:
        """Return a key that JSON and we can bear; the same object when ``key`` is one."""
        text = key if type(key) is str else as_text(key, LONGEST_KEY)
        if len(text) <= LONGEST_KEY and text.isascii():
            return self._scanner.scrub(text)
        return self._scanner.scrub_and_cut(text, LONGEST_KEY)

    def sequence(self, value: Iterable[Any], depth: int) -> object:
        limits = self._limits
        if depth > limits.depth:
            return TOO_DEEP
        if type(value) is not list or len(value) > limits.items:
            return self._sequence_anew(value, depth)
        self._enter(len(value))
        changed: list[object] | None = None
        before: object = None
        for place, item in enumerate(value):
            before = self._element(item, before, depth)
            if before is not item:
                if changed is None:
                    changed = list(value)
                changed[place] = before
        return value if changed is None else changed

    def _sequence_anew(self, value: Iterable[Any], depth: int) -> list[object]:
        base: Any = next(kind for kind in _SEQUENCES if issubclass(type(value), kind))
        size, room = base.__len__(value), self._limits.items
        self._enter(min(size, room))
        shown = size if size <= room else room - 1
        result: list[object] = []
        before: object = None
        for item in islice(base.__iter__(value), shown):
            before = self._element(item, before, depth)
            result.append(before)
        if shown < size:
            result.append(cut_mark(size - shown, "items").strip())
        return result

    def _element(self, item: Any, before: object, depth: int) -> object:
        """Redact an element that follows ``before``, the redacted element in front of it."""
        type_ = type(item)
        if type_ is dict:
            return self.mapping(item, depth + 1)
        if issubclass(type_, _SEQUENCES):
            return self._pair(self.sequence(item, depth + 1))
        new = self.string(item) if type_ is str else self.value(item, depth + 1)
        if type(before) is str and before.startswith("--") and type(new) is str:
            kind = self._keys.kind_in_text(before[2:], "")
            if kind != PLAIN and not new.startswith("-") and not is_items_mark(new):
                return self.secret(new, kind)
        return new

    def _pair(self, redacted: object) -> object:
        """``("password", …)`` in a list, as headers and the items of dicts are passed."""
        if type(redacted) is list and len(redacted) == 2 and type(redacted[0]) is str:
            kind = self._keys.kind_in_text(redacted[0], "")
            new = redacted[1] if kind == PLAIN else self.secret(redacted[1], kind)
            if new is not redacted[1]:
                return [redacted[0], new]
        return redacted

    def _enter(self, entries: int) -> None:
        self._entries += entries
        # An entry takes at least two bytes.
        if self._entries > self._limits.total:
            raise OverBudgetError

    def _spend(self, characters: int) -> None:
        self._characters += characters
        if self._characters > self._limits.total:
            raise OverBudgetError
