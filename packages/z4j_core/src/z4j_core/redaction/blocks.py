"""Block scalars of YAML: a key, ``|`` or ``>``, and the value on the indented lines below."""

from __future__ import annotations

import re

_HEAD = re.compile(r"[|>][+\-0-9]{0,2}+[ \t]{0,16}+\r?\n")
_INDENT = re.compile(r"[ \t]{1,64}+(?=\S)")
_BLANK = re.compile(r"[ \t]{0,64}+\r?\n")


def extent_of_block(text: str, key_start: int, position: int) -> tuple[int, int] | None:
    """Return where the lines of the block start and end, without the first indentation.

    None when no block stands at ``position``; its lines must be indented deeper than the key.
    """
    head = _HEAD.match(text, position)
    indent = _INDENT.match(text, head.end()) if head is not None else None
    if indent is None or len(indent[0]) <= key_start - text.rfind("\n", 0, key_start) - 1:
        return None
    end = position = indent.end()
    while position < len(text):
        line_end = text.find("\n", position)
        end = len(text) if line_end < 0 else line_end
        position = end + 1
        while (blank := _BLANK.match(text, position)) is not None:
            position = blank.end()
        if not text.startswith(indent[0], position):
            break
    return indent.end(), end
