"""A message without what differs from one failure to the next."""

from __future__ import annotations

import re

MAX_LENGTH = 200
_READ = 1_000
"""Characters of a message that are looked at."""

# Tried in this order; each is linear in the text.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"(?<!\w)'[^'\n]*'(?!\w)"), "'…'"),
    (re.compile(r'"[^"\n]*"'), "'…'"),
    (re.compile(r"`[^`\n]*`"), "'…'"),
    (re.compile(r"(?<![\w/])(?:[A-Za-z]:)?[/\\][^\s'\",;:()]+"), "<path>"),
    (re.compile(r"\b[^\s@]{1,64}@[\w.-]{1,255}\b"), "<address>"),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\d+(?:\.\d+)*"), "0"),
    (re.compile(r"\s+"), " "),
)


def normal_message(message: str) -> str:
    """Return the first line of a message, with ids, numbers, addresses, paths and quotes replaced.

    At most `MAX_LENGTH` characters.
    """
    line = message[:_READ].strip().partition("\n")[0]
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    line = line.strip()
    return line if len(line) <= MAX_LENGTH else line[: MAX_LENGTH - 1] + "…"
