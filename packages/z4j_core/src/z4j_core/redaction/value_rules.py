"""Shapes that a plugin adds: a name and a pattern of Python's `re`, judged before it is used.

Python's matcher can go back, so a careless pattern takes exponential or quadratic time on a text
made for it, and nothing can stop it. It is therefore timed on texts that grow: pieces of the
pattern and common characters, repeated, with an end that does not match. They grow by two
characters at a time until 40, so that even a pattern whose time doubles with every character is
found out after milliseconds, and double from there on, to 4,096. A repeated repetition, as in
``(a+)+``, is refused by its look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from z4j_core.redaction.counts import ADDED_KEY_RULE, KEY_RULE
from z4j_core.redaction.rules import EMAIL, RULES, Rule

MAX_VALUE_RULES: Final = 16
MAX_VALUE_PATTERN: Final = 256
MAX_PROBE_S: Final = 0.01

_MAX_PIECES = 16
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LITERALS = re.compile(r"[A-Za-z0-9]{1,8}")
_START = re.compile(r"[^\\()\[\]{}.*+?|^$]{1,64}(?![*+?{])")
# (…+)+ is exponential wherever it can be reached; (…++)+ is not.
_REPEATED_REPETITION = re.compile(r"(?<![+*?}\\])[+*]\??\)(?:[*+]|\{\d*,)")
_COMMON = ("a", "0", "A", " ", "-", ".", "a0", "a ", "a.")
_END = "\x01"
_SIZES = (*range(8, 41, 2), *(64 << step for step in range(7)))
_TAKEN = {rule.name for rule in (*RULES, EMAIL)} | {KEY_RULE, ADDED_KEY_RULE}


class ValueRule(msgspec.Struct, frozen=True):
    """What `pattern` matches is hidden; with a group named ``secret``, only that group is.

    `name` is shown where redactions are counted: lower-case letters, digits and hyphens, at most
    40. `pattern` has at most 256 characters.
    """

    name: str
    pattern: str


class ValueRuleError(ValueError):
    """A rule is not used; the message says why and what to do."""


def compile_value_rules(rules: Iterable[ValueRule], clock: Callable[[], float]) -> list[Rule]:
    """Judge rules and return what a `Redactor` takes as `extra_rules`; raise `ValueRuleError`.

    `clock` gives CPU time in seconds, such as `time.thread_time`.
    """
    compiled: list[Rule] = []
    for rule in rules:
        if not isinstance(rule, ValueRule):
            raise ValueRuleError("A value rule must be a ValueRule.")
        if len(compiled) == MAX_VALUE_RULES:
            raise ValueRuleError(f"There may be {MAX_VALUE_RULES} value rules; join some.")
        if rule.name in _TAKEN | {one.name for one in compiled}:
            raise ValueRuleError(f"The name {rule.name!r} is taken; choose another.")
        compiled.append(_compiled(rule, clock))
    return compiled


def _compiled(rule: ValueRule, clock: Callable[[], float]) -> Rule:
    if not isinstance(rule.name, str) or _NAME.fullmatch(rule.name) is None:
        raise ValueRuleError("The name of a value rule has lower-case letters, digits and hyphens.")
    if not isinstance(rule.pattern, str) or not 0 < len(rule.pattern) <= MAX_VALUE_PATTERN:
        raise ValueRuleError(
            f"The pattern of {rule.name!r} must be text of 1 to {MAX_VALUE_PATTERN} characters."
        )
    try:
        pattern = re.compile(rule.pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueRuleError(f"The pattern of {rule.name!r} cannot be read: {error}.") from None
    if pattern.search("") is not None:
        raise ValueRuleError(f"The pattern of {rule.name!r} must not match an empty text.")
    if _is_slow(pattern, clock):
        raise ValueRuleError(
            f"The pattern of {rule.name!r} is too slow on long texts. Bound its repetitions, as in "
            "[a-z]{1,64}, let no two neighbours match the same character, and repeat no repetition."
        )
    return Rule(rule.name, "a rule of a plugin", (), pattern)


def _is_slow(pattern: re.Pattern[str], clock: Callable[[], float]) -> bool:
    if _REPEATED_REPETITION.search(pattern.pattern) is not None:
        return True
    return any(
        _time(pattern, text, clock) > MAX_PROBE_S and _time(pattern, text, clock) > MAX_PROBE_S
        for text in _probes(pattern.pattern)
    )


def _time(pattern: re.Pattern[str], text: str, clock: Callable[[], float]) -> float:
    began = clock()
    pattern.search(text)
    return clock() - began


def _probes(pattern: str) -> Iterator[str]:
    literals = _LITERALS.findall(pattern)
    letters = dict.fromkeys(pattern)
    pieces = list(dict.fromkeys((*_COMMON, *literals, *letters)))[:_MAX_PIECES]
    start = _START.match(pattern)
    starts = ("",) if start is None else ("", start[0])
    for size in _SIZES:
        for piece in pieces:
            for begin in starts:
                yield begin + (piece * size)[:size] + _END
