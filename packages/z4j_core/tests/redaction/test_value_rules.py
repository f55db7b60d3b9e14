"""Shapes of a plugin: used when they are sound, refused with a reason when they are not."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from z4j_core.plugins import assemble, hook
from z4j_core.redaction import (
    MASK,
    Redactor,
    Rule,
    ValueRule,
    ValueRuleError,
    compile_value_rules,
)
from z4j_core.redaction.value_rules import MAX_VALUE_PATTERN, MAX_VALUE_RULES

CATASTROPHIC = [
    r"(a+)+$", r"(\w+\s?)*$x", r"(a|aa)+$", r"(x+x+)+y", r"([a-z]+)*=", r"(?:a|a)*b",
    r"^(\d+)*-$", r"(.*)*;", r"K-(?:[0-9]+)+$", r"(ab|abab)+c", r"\w+\w+\w+-x", r"(?:\s*-\s*)+$",
]  # fmt: skip
SOUND = [
    r"\bST-[0-9]{4}\b", r"ACME_[A-Za-z0-9]{20,64}", r"(?P<secret>[0-9]{6})-internal",
    r"(?i)customer [a-z]{1,40}", r"[A-Z]{2}[0-9]{2}(?: ?[0-9]{4}){3,7}", r"\bx{1,64}y",
    r"\b(?:[0-9]++-)+x",
]  # fmt: skip


def judged(*patterns: str) -> list[Rule]:
    rules = [ValueRule(f"rule-{number}", pattern) for number, pattern in enumerate(patterns)]
    return compile_value_rules(rules, time.thread_time)


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_pattern_that_goes_back_too_often_is_refused(pattern: str) -> None:
    with pytest.raises(ValueRuleError, match="too slow on long texts"):
        judged(pattern)


def test_sound_patterns_are_used() -> None:
    redactor = Redactor(extra_rules=judged(*SOUND))
    text = "ST-1234 and 123456-internal, customer jane"
    assert redactor.text(text) == f"{MASK} and {MASK}-internal, {MASK}"


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        (ValueRule("Staff", "x"), "lower-case"),
        (ValueRule("jwt", "x"), "is taken"),
        (ValueRule("key", "x"), "is taken"),
        (ValueRule("a", "("), "cannot be read"),
        (ValueRule("a", "x*"), "empty text"),
        (ValueRule("a", ""), "1 to 256"),
        (ValueRule("a", "x" * (MAX_VALUE_PATTERN + 1)), "1 to 256"),
        (ValueRule("a", 3), "must be text"),  # type: ignore[arg-type]
        (ValueRule("a", "x{99999999999}"), "cannot be read"),
        (("a", "x"), "must be a ValueRule"),
    ],
)
def test_what_is_no_rule_is_refused(rule: Any, hint: str) -> None:
    with pytest.raises(ValueRuleError, match=hint):
        compile_value_rules([rule], time.thread_time)


def test_rules_are_bounded_in_number_and_their_names_differ() -> None:
    assert len(judged(*["x1"] * MAX_VALUE_RULES)) == MAX_VALUE_RULES
    with pytest.raises(ValueRuleError, match="join some"):
        judged(*["x1"] * (MAX_VALUE_RULES + 1))
    with pytest.raises(ValueRuleError, match="is taken"):
        compile_value_rules([ValueRule("a", "x"), ValueRule("a", "y")], time.thread_time)


def test_a_plugin_with_a_bad_rule_harms_nobody() -> None:
    def point(name: str, *rules: Any) -> Any:
        @hook(specname="z4j_redact_values")
        def values() -> list[Any]:
            return list(rules)

        module = SimpleNamespace(values=values)
        return SimpleNamespace(name=name, value=name, load=lambda: module)

    staff = ValueRule("staff", r"\bST-[0-9]{4}\b")
    plate = ValueRule("plate", r"\b[A-Z]{1,3}-[A-Z]{2} [0-9]{1,4}\b")
    assembly = assemble(
        [point("a", staff), point("b", ValueRule("slow", "(a+)+$")), point("c", plate)]
    )
    rules = assembly.value_rules(time.thread_time)
    assert [rule.name for rule in rules] == ["staff", "plate"]
    assert [problem.plugin for problem in assembly.problems] == ["b"]
    assert "too slow" in assembly.problems[0].detail
    redactor = Redactor(extra_rules=rules)
    assert redactor.value({"who": "ST-1234", "car": "B-XY 12"}) == {"who": MASK, "car": MASK}
    assert redactor.counts.snapshot() == {"staff": 1, "plate": 1}
