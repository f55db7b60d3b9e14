"""What a project's texts go through before they are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from z4j_core.events import MAX_PAYLOAD
from z4j_core.redaction import Counts, Redactor, Rule

MAX_RESULT = 262_144
MAX_SHOWN = 65_536

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
        def make(depth: int, items: int, string: int, size: int) -> Redactor:
            return Redactor(
                extra_key=extra_key,
                extra_rules=extra_rules,
                emails=emails,
                max_depth=depth,
                max_items=items,
                max_string=string,
                max_bytes=size,
                counts=counts,
            )

        self.events = make(16, 1_000, MAX_PAYLOAD, MAX_PAYLOAD)
        self.results = make(16, 10_000, MAX_RESULT, MAX_RESULT)
        self.params = make(8, 200, 8_192, MAX_SHOWN)


BUILT_IN = Cleaner()
"""The built-in rules and no others."""
