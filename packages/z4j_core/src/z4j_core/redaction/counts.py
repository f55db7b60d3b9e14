"""How often which rule took something out. Names of rules only, never what they found."""

from __future__ import annotations

from typing import Final

KEY_RULE: Final = "key"
ADDED_KEY_RULE: Final = "added-key"

MAX_COUNTED: Final = 256


class Counts:
    """Redactions by the name of their rule, since the process began.

    Any thread may count; two that count the same rule at the same instant may lose one. A value
    that has to be looked at again, because it was too large or held a secret in a secret, can
    count twice: these are figures for a graph, not for a proof.
    """

    def __init__(self) -> None:
        self._by_rule: dict[str, int] = {}

    def add(self, rule: str) -> None:
        """Count one redaction; beyond `MAX_COUNTED` rules the new ones are not told apart."""
        by_rule = self._by_rule
        known = by_rule.get(rule)
        if known is None and len(by_rule) >= MAX_COUNTED:
            return
        by_rule[rule] = (known or 0) + 1

    def snapshot(self) -> dict[str, int]:
        """Return a copy: rule to number."""
        return dict(self._by_rule)
