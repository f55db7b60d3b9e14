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
from z4j_core.redaction import ADDED_KEY_RULE, EMAIL, KEY_RULE, RULES, Counts, Rule
from z4j_core.redaction.keys import words_of

MAX_KEYS = 64
MAX_KEY = 64
MAX_PATTERNS = 16
MAX_PATTERN = 256
PROJECT_RULE = "project"
"""All patterns of all projects have this name in the metrics: their names are not ours."""

_MAX_COMPILED = 64 * 1024
_PROBE = 16 * 1024
MAX_PROBE_MS = 50.0
"""How much CPU a pattern may take for a text of 16 KiB."""
_TAKEN = frozenset(
    {one.name for one in RULES} | {EMAIL.name, KEY_RULE, ADDED_KEY_RULE, PROJECT_RULE}
)
_MAX_REASON = 120


class RuleFault(ValueError):
    """A rule is refused; `pointer` is a JSON pointer into the rules."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


class PatternRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What matches is hidden; with a group named `secret`, only that group is.

    One that is not `enabled` is kept and checked, but hides nothing.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    pattern: Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]
    enabled: bool = True


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


class ProjectCounts(Counts):
    """Counts for one project by the names of its rules, and for the server without those names."""

    def __init__(self, whole: Counts = COUNTS) -> None:
        super().__init__()
        self.patterns: frozenset[str] = frozenset()
        self._whole = whole

    def add(self, rule: str) -> None:
        """Count one redaction, here and for the server."""
        super().add(rule)
        self._whole.add(PROJECT_RULE if rule in self.patterns else rule)


def build(rules: ProjectRules, *, emails: bool = False, counts: Counts | None = None) -> Cleaner:
    """Return the redactors of a project; raise `RuleFault` for a rule that cannot be used.

    Without `counts` of the caller's the server's go on.
    """
    chosen = ProjectCounts() if counts is None else counts
    compiled = _compiled(rules.patterns)
    if isinstance(chosen, ProjectCounts):
        chosen.patterns = frozenset(one.name for one in compiled)
    return Cleaner(
        extra_key=_key_judge(rules.keys),
        extra_rules=[
            one for one, given in zip(compiled, rules.patterns, strict=True) if given.enabled
        ],
        emails=emails or rules.emails,
        counts=chosen,
    )


def check_speed(rules: ProjectRules) -> dict[str, float]:
    """Return how many milliseconds of CPU each pattern needs for a text of 16 KiB, at worst.

    Raises `RuleFault` for one that needs more than `MAX_PROBE_MS`. The texts are made to be walked
    to their end. Call it on a thread.
    """
    needed = {}
    for place, rule in enumerate(_compiled(rules.patterns)):
        needed[rule.name] = worst = max(_needed_ms(rule, text) for text in _PROBES)
        if worst > MAX_PROBE_MS:
            raise RuleFault(
                f"/patterns/{place}/pattern",
                f"The pattern is too slow: {worst:.0f} ms for a text of 16 KiB, and"
                f" {MAX_PROBE_MS:.0f} are allowed. Use fewer or smaller repetitions.",
            )
    return needed


_PROBES = ("a" * _PROBE, "ab1 " * (_PROBE // 4), "-_.:/" * (_PROBE // 5))


def _needed_ms(rule: Rule, text: str) -> float:
    began = time.thread_time()
    rule.pattern.search(text)
    return (time.thread_time() - began) * 1_000


def _compiled(patterns: Sequence[PatternRule]) -> list[Rule]:
    names = [one.name for one in patterns]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise RuleFault(f"/patterns/{place}/name", "Two patterns have this name.")
        if name in _TAKEN:
            raise RuleFault(f"/patterns/{place}/name", "A built-in rule has this name.")
    return [
        Rule(one.name, "a rule of the project", (), _compile(one.pattern, place))
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
