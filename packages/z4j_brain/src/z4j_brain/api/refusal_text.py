"""What the decoder refuses, in words for the person who filled in the form."""

from __future__ import annotations

import re
from collections.abc import Callable

_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "uuid": "a UUID",
}
_COMPARED = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_Say = Callable[[re.Match[str]], str]
_RULES: tuple[tuple[re.Pattern[str], _Say], ...] = (
    (re.compile(r"Expected `str` of length >= 1"), lambda _: "Fill this in."),
    (
        re.compile(r"Expected `str` of length >= (\d+)"),
        lambda found: f"Use at least {int(found[1]):,} characters.",
    ),
    (
        re.compile(r"Expected `str` of length <= (\d+)"),
        lambda found: f"Use at most {int(found[1]):,} characters.",
    ),
    (
        re.compile(r"Expected `array` of length <= (\d+)"),
        lambda found: f"Give at most {int(found[1]):,}.",
    ),
    (
        re.compile(r"Expected `array` of length >= (\d+)"),
        lambda found: f"Give at least {int(found[1]):,}.",
    ),
    (
        re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (-?[\d.]+)"),
        lambda found: f"Give a number that is {_COMPARED[found[1]]} {found[2]}.",
    ),
    (
        re.compile(r"Expected `str` matching regex .*@.*", re.DOTALL),
        lambda _: "Give an e-mail address such as ada@example.org.",
    ),
    (
        re.compile(r"Expected `str` matching regex .*x00.*", re.DOTALL),
        lambda _: "Write one line of text.",
    ),
    (
        re.compile(r"Expected `str` matching regex .*", re.DOTALL),
        lambda _: "This has not the form that is needed here.",
    ),
    (re.compile(r"Object missing required field `.*`"), lambda _: "Fill this in."),
    (
        re.compile(r"Object contains unknown field `.*`"),
        lambda _: "There is no such field.",
    ),
    (re.compile(r"Invalid UUID"), lambda _: "This is no UUID."),
    (
        re.compile(r"Expected `([\w |]+)`, got `(\w+)`"),
        lambda found: f"This must be {_named(found[1])}, not {_named(found[2])}.",
    ),
)


def plain(message: str) -> str:
    """Return a sentence that says what to do; a message without one stays as it is."""
    for pattern, say in _RULES:
        if found := pattern.fullmatch(message.rstrip(".")):
            return say(found)
    return message.rstrip(".") + "."


def _named(types: str) -> str:
    return " or ".join(_TYPES.get(name.strip(), name.strip()) for name in types.split("|"))
