"""A project's own rules: what they may be, and what they become.

Patterns are RE2's: its matching is linear in the length of the text, whatever the pattern, because
it never goes back (https://github.com/google/re2). What is left to bound is the factor, so the
length and the compiled size of a pattern are limited, and each is timed on a probe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import re2
from msgspec import Meta

from z4j_brain.redaction.cleaner import COUNTS, Cleaner
from z4j_core.redaction import Counts, Rule
from z4j_core.redaction.keys import words_of

MAX_KEYS = 64
MAX_KEY = 64
MAX_PATTERNS = 16
MAX_PATTERN = 256
PROJECT_RULE = "project"
"""All patterns of all projects have this name in the metrics: their names are not ours."""

_MAX_COMPILED = 64 * 1024
_PROBE = 16 * 1024
_MAX_PROBE_S = 0.05
_MAX_REASON = 120


class RuleFault(ValueError):
    """A rule is refused; `pointer` is a JSON pointer into the rules."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


class PatternRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What matches is hidden; with a group named `secret`, only that group is."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    pattern: Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]


class ProjectRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a project hides beyond the built-in rules.

    `keys` are words, such as `license plate`: every key in which they follow each other is hidden,
    `licensePlate` and `LICENSE_PLATE` as well.
    """

    keys: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=MAX_KEY)]], Meta(max_length=MAX_KEYS)
    ] = []
    patterns: Annotated[list[PatternRule], Meta(max_length=MAX_PATTERNS)] = []
    emails: bool = False


def build(rules: ProjectRules, *, emails: bool = False, counts: Counts = COUNTS) -> Cleaner:
    """Return the redactors of a project; raise `RuleFault` for a rule that cannot be used.

    Counts other than the server's own tell the patterns apart by their names.
    """
    return Cleaner(
        extra_key=_key_judge(rules.keys),
        extra_rules=_compiled(rules.patterns, PROJECT_RULE if counts is COUNTS else None),
        emails=emails or rules.emails,
        counts=counts,
    )


def check_speed(rules: ProjectRules) -> None:
    """Raise `RuleFault` for a pattern that needs more than 50 ms of CPU for a text of 16 KiB.

    The texts are made to be walked to their end. Call it on a thread.
    """
    for place, rule in enumerate(_compiled(rules.patterns, None)):
        for text in ("a" * _PROBE, "ab1 " * (_PROBE // 4), "-_.:/" * (_PROBE // 5)):
            began = time.thread_time()
            rule.pattern.search(text)
            if time.thread_time() - began > _MAX_PROBE_S:
                raise RuleFault(
                    f"/patterns/{place}/pattern",
                    "The pattern is too slow on long texts. Use fewer or smaller repetitions.",
                )


def _compiled(patterns: Sequence[PatternRule], label: str | None) -> list[Rule]:
    names = [one.name for one in patterns]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise RuleFault(f"/patterns/{place}/name", "Two patterns have this name.")
    return [
        Rule(label or one.name, "a rule of the project", (), _compile(one.pattern, place))
        for place, one in enumerate(patterns)
    ]


def _compile(pattern: str, place: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_COMPILED
    try:
        compiled = re2.compile(pattern, options)
        is_empty = compiled.search("") is not None
    except (re2.error, UnicodeError) as error:
        reason = _reason(error)
        raise RuleFault(
            f"/patterns/{place}/pattern",
            f"RE2 does not take this pattern: {reason}. It knows no look-around and no "
            "back-references; see https://github.com/google/re2/wiki/Syntax.",
        ) from None
    if is_empty:
        raise RuleFault(f"/patterns/{place}/pattern", "The pattern must not match an empty text.")
    return compiled


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return text[:_MAX_REASON]


def _key_judge(keys: Sequence[str]) -> Callable[[str], bool | None] | None:
    phrases = []
    for place, key in enumerate(keys):
        words = words_of(key)
        if not words:
            raise RuleFault(f"/keys/{place}", "A key needs a letter.")
        phrases.append(words)
    if not phrases:
        return None

    def judge(key: str) -> bool | None:
        words = words_of(key)
        for phrase in phrases:
            for start in range(len(words) - len(phrase) + 1):
                if words[start : start + len(phrase)] == phrase:
                    return True
        return None

    return judge
