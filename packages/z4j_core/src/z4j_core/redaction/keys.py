"""Which keys name a secret.

A key is split into words (``dbPassword``, ``db-password`` and ``DB_PASSWORD`` are the same two
words) and is sensitive when the words of one of ``KEY_PHRASES`` follow each other in it, unless
what comes before or after says that the value is only *about* the secret (``token_count``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from z4j_core.redaction.gates import may_name_secret
from z4j_core.redaction.key_words import (
    ABOUT_BEGINNINGS,
    ABOUT_ENDINGS,
    COMPOUND_ENDINGS,
    COUNTED_PHRASES,
    HARMLESS_TOKENS,
    KEY_PHRASES,
    PASS_OWNERS,
    WHOLE_KEY_PHRASES,
)

PLAIN: Final = 0
SECRET: Final = 1  # masked, except None and booleans, which hide nothing
COUNTED: Final = 2  # masked, except None, booleans and numbers: "tokens" often counts something
HIDDEN: Final = 3  # a plugin asked for it: always masked

MEMO_SIZE: Final = 4096
MEMO_KEY_LENGTH: Final = 128
JUDGED_LENGTH: Final = 256

_WORDS = re.compile(r"[A-Z]{1,256}(?![a-z])|[A-Z]?[a-z]{1,256}|[^\W\d_a-zA-Z]{1,256}")
_ANY_WORDS = re.compile(r"[^\W\d_]{1,256}")
_LEADING_ESCAPE = frozenset("nrt")
_Key = TypeVar("_Key")


def _index_phrases() -> dict[str, tuple[tuple[str, ...], ...]]:
    index: dict[str, list[tuple[str, ...]]] = {}
    for phrase in KEY_PHRASES:
        words = tuple(phrase.split())
        index.setdefault(words[0], []).append(words)
    # Longest first, so that "access key id" leaves no "id" behind to excuse the key.
    return {
        first: tuple(sorted(phrases, key=len, reverse=True)) for first, phrases in index.items()
    }


_PHRASES = _index_phrases()


def words_of(key: str) -> list[str]:
    """Split a key into lower-case words; digits and separators part words and are dropped."""
    key = key[:JUDGED_LENGTH]
    if key.isascii():
        return [word.lower() for word in _WORDS.findall(key)]
    return [word.lower() for word in _ANY_WORDS.findall(unicodedata.normalize("NFKC", key))]


def judge(key: str) -> int:
    """Decide by the built-in list: ``PLAIN``, ``SECRET`` or ``COUNTED``."""
    words = words_of(key)
    for start, word in enumerate(words):
        for phrase in _PHRASES.get(word, ()):
            end = start + len(phrase)
            if tuple(words[start:end]) == phrase and not _is_about(words, start, end):
                is_owned = word == "pass" and start > 0
                return COUNTED if word in COUNTED_PHRASES and not is_owned else SECRET
        is_compound = word not in _PHRASES and word.endswith(COMPOUND_ENDINGS)
        if is_compound and not _is_about(words, start, start + 1):
            return SECRET
    return PLAIN


def _is_about(words: list[str], start: int, end: int) -> bool:
    if end < len(words) and words[-1] in ABOUT_ENDINGS:
        return True
    if start > 0 and words[0] in ABOUT_BEGINNINGS:
        return True
    word = words[start]
    if word in WHOLE_KEY_PHRASES:
        return len(words) > end - start
    if word == "pass":
        return start > 0 and words[start - 1] not in PASS_OWNERS
    if word in ("token", "tokens"):
        return start > 0 and words[start - 1] in HARMLESS_TOKENS
    return False


class KeyJudge:
    """Remember decisions on keys.

    Bounded: ``MEMO_SIZE`` keys in each memo, then it starts anew. Safe to share between threads,
    which at worst decide the same key twice. ``extra`` answers True (always hide), False (never
    hide) or None (use the built-in list); when it raises, the built-in list decides.
    """

    def __init__(self, extra: Callable[[str], bool | None] | None = None) -> None:
        self._extra = extra
        self._memo: dict[str, int] = {}
        self._plain_names: dict[tuple[str, ...], int] = {}
        self.clean: dict[str, int] = {}
        """Decisions on keys that are themselves short and free of secrets, see ``keep_clean``."""

    @property
    def has_extra(self) -> bool:
        """True when any key may be sensitive, so text cannot be skipped by the built-in words."""
        return self._extra is not None

    def kind(self, key: str) -> int:
        """Return ``PLAIN``, ``SECRET``, ``COUNTED`` or ``HIDDEN`` for a plain ``str``."""
        known = self._memo.get(key)
        if known is not None:
            return known
        decided = self._decide(key)
        if len(key) <= MEMO_KEY_LENGTH:
            _remember(self._memo, key, decided)
        return decided

    def has_secret(self, keys: Sequence[str]) -> bool:
        """Tell whether one of these keys is not plain; quick for a tuple that was asked before."""
        if type(keys) is tuple and keys in self._plain_names:
            return False
        if any(map(self.kind, keys)):
            return True
        if type(keys) is tuple and all(len(key) <= MEMO_KEY_LENGTH for key in keys):
            _remember(self._plain_names, keys, PLAIN)
        return False

    def keep_clean(self, key: str) -> int:
        """Return the kind of a key that the caller has found clean, and remember that too."""
        kind = self.kind(key)
        _remember(self.clean, key, kind)
        return kind

    def _decide(self, key: str) -> int:
        if self._extra is not None:
            try:
                answer = self._extra(key)
            except Exception:  # noqa: BLE001 - a plugin's fault must not stop redaction
                answer = None
            if answer is True:
                return HIDDEN
            if answer is False:
                return PLAIN
        return judge(key)

    def kind_in_text(self, key: str, before: str) -> int:
        r"""Decide a key found in text or in values; ``before`` is the character in front of it.

        In escaped text ``\npassword`` is a line break and a key, not the key ``npassword``; in a
        command line ``-Dpin=4711`` is Java's way to set ``pin``.
        """
        if self._extra is None and not may_name_secret(key):
            return PLAIN  # without a place in the memo: any word of a text can come here
        kind = self.kind(key)
        if kind == PLAIN and key.startswith("-D"):
            return self.kind(key[2:])
        if kind == PLAIN and before == "\\" and key[:1] in _LEADING_ESCAPE and len(key) > 1:
            return self.kind(key[1:])
        return kind


def _remember(memo: dict[_Key, int], key: _Key, kind: int) -> None:
    if len(memo) >= MEMO_SIZE:
        memo.clear()
    memo[key] = kind
