"""Redaction: take secrets out of values and text before they leave a process or are stored."""

from z4j_core.redaction.key_words import KEY_PHRASES
from z4j_core.redaction.marks import MASK, RedactionError
from z4j_core.redaction.redactor import Redactor
from z4j_core.redaction.rules import RULES, Rule

__all__ = ["KEY_PHRASES", "MASK", "RULES", "RedactionError", "Redactor", "Rule"]
