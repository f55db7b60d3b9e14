"""What redaction leaves in the place of something it took out, and its error."""

from __future__ import annotations

import re

MASK = "[redacted]"
TOO_DEEP = "[too deep]"
TOO_LARGE = "[too large]"
UNREADABLE = "[unreadable]"
MORE_KEY = "…"


class RedactionError(ValueError):
    """The payload cannot be redacted: it is not JSON, too large, or nested beyond any decoder."""


_CUT_ITEMS = re.compile(r"… \[cut, [0-9]{1,20} items\]")


def is_items_mark(text: str) -> bool:
    """Tell the mark that ends a cut list from an element of it."""
    return _CUT_ITEMS.fullmatch(text) is not None


def cut_mark(count: int, noun: str) -> str:
    """Say how much was cut, for example ``… [cut, 120 characters]``.

    The leading space ends an unquoted value, so that a later pass does not take the mark for a
    part of it.
    """
    return f" … [cut, {count} {noun}]"
