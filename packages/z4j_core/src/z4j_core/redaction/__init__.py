"""Redaction: take secrets out of values and text before they leave a process or are stored."""

from z4j_core.redaction.counts import ADDED_KEY_RULE, KEY_RULE, Counts
from z4j_core.redaction.key_words import KEY_PHRASES
from z4j_core.redaction.marks import MASK, RedactionError
from z4j_core.redaction.redactor import Redactor
from z4j_core.redaction.rules import EMAIL, RULES, Rule
from z4j_core.redaction.value_rules import ValueRule, ValueRuleError, compile_value_rules

__all__ = [
    "ADDED_KEY_RULE",
    "EMAIL",
    "KEY_PHRASES",
    "KEY_RULE",
    "MASK",
    "RULES",
    "Counts",
    "RedactionError",
    "Redactor",
    "Rule",
    "ValueRule",
    "ValueRuleError",
    "compile_value_rules",
]
