"""Redact one text to a fixed point."""

from __future__ import annotations

from z4j_core.redaction.assignments import mask_assignments
from z4j_core.redaction.counts import Counts
from z4j_core.redaction.gates import may_have_shape, may_hold_secret, may_name_secret
from z4j_core.redaction.keys import KeyJudge
from z4j_core.redaction.marks import MASK, cut_mark
from z4j_core.redaction.rules import RULES, Rule

LOOK_AHEAD = 8192
"""Characters read beyond what is kept."""

_TORN = 1024  # the end of what was read may hold the unrecognisable first part of a secret
_MARK_ROOM = 64
_PASSES = 6


class TextScanner:
    """Take secrets out of text. Thread-safe: holds nothing but the key judge and the counts.

    ``extra`` rules are tried on texts that the built-in gates let pass, too.
    """

    def __init__(
        self, keys: KeyJudge, extra: tuple[Rule, ...] = (), counts: Counts | None = None
    ) -> None:
        self._keys = keys
        self._any_key = keys.has_extra
        self._extra = extra
        self.has_extra = bool(extra)
        self.counts = counts or Counts()

    def may_hold(self, text: str) -> bool:
        """Return False only when no rule and no key can match."""
        if may_hold_secret(text, self._any_key):
            return True
        return bool(self._extra) and any(rule.may_match(text) for rule in self._extra)

    def scrub(self, text: str) -> str:
        """Return ``text`` without secrets and encodable as UTF-8; the same object when clean.

        One pass can uncover what the next one masks (a masked value may have hidden the end of
        another). Passes go on until nothing changes, which makes ``scrub`` idempotent by
        construction; a text that does not settle is masked whole.
        """
        text = encodable(text)
        for _ in range(_PASSES):
            if not self.may_hold(text):
                return text
            scrubbed = self._pass(text)
            if scrubbed == text:
                return text
            text = scrubbed
        return MASK

    def scrub_and_cut(self, text: str, limit: int) -> str:
        """Scrub and cut to ``limit`` characters (at least 64), the mark included."""
        size = len(text)
        if size <= limit:
            scrubbed = self.scrub(text)
            if len(scrubbed) <= limit:
                return scrubbed
        # A secret across the cut must be seen whole to be recognised.
        window = limit + LOOK_AHEAD
        scrubbed = self.scrub(text[:window])
        if size <= window and len(scrubbed) <= limit:
            return scrubbed
        kept = min(limit - _MARK_ROOM, len(scrubbed))
        if size > window:
            kept = min(kept, max(len(scrubbed) - _TORN, 0))
        mask = scrubbed.find(MASK, max(kept - len(MASK), 0), kept + len(MASK))
        if 0 <= mask < kept:
            kept = mask + len(MASK)
        mark = cut_mark(max(size - kept, 1), "characters")
        result = self.scrub(scrubbed[:kept] + mark)
        return result if len(result) <= limit else MASK

    def _pass(self, text: str) -> str:
        if may_have_shape(text) or ("@" in text and "://" in text):
            for rule in RULES:
                text = rule.apply(text, self.counts)
        for rule in self._extra:
            text = rule.apply(text, self.counts)
        if self._any_key or may_name_secret(text):
            text = mask_assignments(text, self._keys.kind_in_text, self.counts)
        return text


def encodable(text: str) -> str:
    """Return ``text`` with lone surrogates written as escapes; the same object when it has none."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="backslashreplace").decode()
    return text
