"""What a project's texts go through before they are stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from z4j_core.events import MAX_PAYLOAD
from z4j_core.redaction import EMAIL, Counts, Redactor, Rule

MAX_RESULT = 262_144
MAX_SHOWN = 65_536
MAX_AUDIT = 4_096
"""Bytes of `before` and of `after` in a row of the audit log."""

_ANCHOR = re.compile(r"[\^$]|\\[AzZBG]")
COUNTS = Counts()
"""Of everything that this process has redacted."""


class Cleaner:
    """Redactors with one set of rules. Thread-safe; make it once for a project.

    `extra_key` and `extra_rules` as for `Redactor`. The bounds are wider than the agent's: what the
    agent let through stays as it is, byte for byte, unless a secret is in it.
    """

    def __init__(
        self,
        *,
        extra_key: Callable[[str], bool | None] | None = None,
        extra_rules: Sequence[Rule] = (),
        emails: bool = False,
        counts: Counts = COUNTS,
    ) -> None:
        def make(
            depth: int, items: int, string: int, size: int, *, has_rules: bool = True
        ) -> Redactor:
            return Redactor(
                extra_key=extra_key,
                extra_rules=extra_rules if has_rules else (),
                emails=emails and has_rules,
                max_depth=depth,
                max_items=items,
                max_string=string,
                max_bytes=size,
                counts=counts,
            )

        self.events = make(16, 1_000, MAX_PAYLOAD, MAX_PAYLOAD)
        self.results = make(16, 10_000, MAX_RESULT, MAX_RESULT)
        self.params = make(8, 200, 8_192, MAX_SHOWN)
        self.audit = make(8, 200, 500, MAX_AUDIT)
        self._rules = (*extra_rules, EMAIL) if emails else tuple(extra_rules)
        self._is_anchored = any(_ANCHOR.search(rule.pattern.pattern) for rule in self._rules)
        self._without_rules = make(16, 1_000, MAX_PAYLOAD, MAX_PAYLOAD, has_rules=False)

    def payload(self, payload: bytes) -> bytes:
        """Redact an event's payload; raise `RedactionError` as `Redactor.json` does."""
        if self._rules and self._may_match(payload):
            return self.events.json(payload)
        return self._without_rules.json(payload)

    def _may_match(self, payload: bytes) -> bool:
        """Look at all texts at once: to ask for each pattern at each text costs ten times more.

        Without escapes every text stands in the JSON as it is, between quotes; only a pattern that
        asks where its text begins or ends could tell the difference.
        """
        if self._is_anchored or b"\\" in payload:
            return True
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return True
        return any(
            rule.may_match(text) and rule.pattern.search(text) is not None for rule in self._rules
        )


BUILT_IN = Cleaner()
"""The built-in rules and no others."""
