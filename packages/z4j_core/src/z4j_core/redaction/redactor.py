"""The public face of redaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from z4j_core.redaction.counts import Counts
from z4j_core.redaction.duplicates import has_duplicate_keys
from z4j_core.redaction.keys import KeyJudge
from z4j_core.redaction.limits import (
    SMALLEST_ITEMS,
    SMALLEST_STRING,
    SMALLEST_TOTAL,
    Limits,
    OverBudgetError,
)
from z4j_core.redaction.marks import MASK, TOO_LARGE, UNREADABLE, RedactionError
from z4j_core.redaction.plain import MAX_BYTES, MAX_ENTRIES, MAX_STRING, is_plain
from z4j_core.redaction.rules import EMAIL, Rule
from z4j_core.redaction.scanner import TextScanner, encodable
from z4j_core.redaction.walk import Walk

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Redactor:
    """Take secrets out of values, text and JSON, within bounds of size.

    Redacting twice gives what redacting once gave. Instances hold a bounded memory of decisions
    on keys (no values) and may be shared between threads; make one and keep it.

    ``extra_key`` is asked about every new key: True hides whatever stands under it, False shows
    it, None leaves it to the built-in list. ``max_depth`` (levels, from 1), ``max_items``
    (entries a container, from 3), ``max_string`` (characters, from 64) and ``max_bytes`` (JSON of
    the whole, from 256) bound the result. Raises ValueError for a bound below its minimum.

    ``extra_rules`` are tried on every text of five characters and more, after the built-in ones;
    ``emails`` adds one for addresses. ``counts`` may be shared by several redactors.
    """

    def __init__(
        self,
        *,
        extra_key: Callable[[str], bool | None] | None = None,
        max_depth: int = 8,
        max_items: int = 200,
        max_string: int = 4096,
        max_bytes: int = 32_768,
        extra_rules: Sequence[Rule] = (),
        emails: bool = False,
        counts: Counts | None = None,
    ) -> None:
        for name, given, least in (
            ("max_depth", max_depth, 1),
            ("max_items", max_items, SMALLEST_ITEMS),
            ("max_string", max_string, SMALLEST_STRING),
            ("max_bytes", max_bytes, SMALLEST_TOTAL),
        ):
            if given < least:
                raise ValueError(f"{name} is {given}; give at least {least}")
        self._keys = KeyJudge(extra_key)
        rules = (*extra_rules, EMAIL) if emails else tuple(extra_rules)
        self.counts = Counts() if counts is None else counts
        self._scanner = TextScanner(self._keys, rules, self.counts)
        self._limits = Limits(max_depth, max_items, max_string, max_bytes)
        self._max_bytes = max_bytes
        # Within tighter bounds, or when any word may name a secret, every value takes the walk.
        self._has_short_road = (
            extra_key is None
            and not rules
            and max_items >= MAX_ENTRIES
            and max_string >= MAX_STRING
            and max_bytes >= MAX_BYTES
        )

    def value(self, value: object) -> object:
        """Return a JSON-safe redacted copy, or ``value`` itself when nothing had to change.

        Never raises for what the value is or does. Treat the result as read-only, since it may
        share its parts with ``value``.
        """
        try:
            if self._has_short_road and is_plain(value, self._keys.clean):
                return value
            return self._walk(value)
        except Exception:  # noqa: BLE001 - hostile or concurrently changing objects
            return UNREADABLE

    def _walk(self, value: object) -> object:
        limits = self._limits
        while True:
            walk = Walk(self._keys, self._scanner, limits)
            try:
                result = walk.value(value)
                if walk.largest_size <= self._max_bytes:
                    return result
                if len(_encode(result)) <= self._max_bytes:
                    return result
            except OverBudgetError:
                pass
            if limits.are_tightest:
                return TOO_LARGE
            limits = limits.tighter()

    def exactly(self, value: object) -> tuple[object, bool]:
        """Return the redacted value, and whether JSON would give back a value equal to the given.

        Not exact: anything masked or cut, tuples, sets, bytes, dates, keys that are not plain
        strings, numbers that are not finite, subclasses and other objects.
        """
        if self._has_short_road and type(value) is dict and is_plain(value, self._keys.clean):
            return value, True
        result = self.value(value)
        return result, result is value

    def arguments(self, values: Sequence[object], names: Sequence[str]) -> tuple[object, bool]:
        """As `exactly`, for positional arguments whose parameters have these names.

        An argument is hidden when a mapping would hide it under its parameter's name. Surplus
        values and surplus names are judged without the other.
        """
        if not self._keys.has_secret(names):
            return self.exactly(values if type(values) is list else list(values))
        named, is_hidden = list(values), False
        for index, name in enumerate(names[: len(named)]):
            if self._keys.kind(name):
                hidden = self.value({name: named[index]})
                shown = hidden[name] if isinstance(hidden, dict) else MASK
                is_hidden = is_hidden or shown is not named[index]
                named[index] = shown
        result = self.value(named)
        return result, result is named and not is_hidden

    def text(self, text: str) -> str:
        """Return ``text`` (a message, traceback or URL) without secrets.

        Cut to ``max_bytes`` bytes of UTF-8. Never raises for what the text is.
        """
        text = encodable(str.__str__(text))
        limit = self._max_bytes
        if len(text) <= limit and text.isascii():
            return self._scanner.scrub_and_cut(text, limit)
        # A quarter of the bytes in characters always fits; try the most that can.
        result = self._scanner.scrub_and_cut(text, limit)
        while len(result.encode()) > self._max_bytes and limit > SMALLEST_STRING:
            limit = max(limit * 3 // 4, SMALLEST_STRING)
            result = self._scanner.scrub_and_cut(text, limit)
        return result

    def json(self, payload: bytes) -> bytes:
        """Redact encoded JSON; return the same object when nothing had to change.

        Nesting beyond ``max_depth`` is marked, as in ``value``. Raises RedactionError when
        ``payload`` is longer than ``max_bytes``, is not JSON, or is nested too deep to decode.
        """
        if len(payload) > self._max_bytes:
            raise RedactionError(f"payload is {len(payload)} bytes; send at most {self._max_bytes}")
        try:
            value = _decode(payload)
        except RecursionError:
            raise RedactionError("payload is nested too deep; send flatter JSON") from None
        except (msgspec.MsgspecError, UnicodeError):
            # The decoder's message may quote the payload.
            raise RedactionError("payload is not valid JSON; send UTF-8 JSON") from None
        result = self.value(value)
        encoded = _encode(result)
        if result is not value:
            return encoded
        # Of equal keys the decoder kept the last: the others would slip through unseen.
        if encoded != payload and has_duplicate_keys(payload):
            return encoded
        return payload
