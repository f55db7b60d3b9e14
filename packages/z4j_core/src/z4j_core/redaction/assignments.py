"""Secrets in text that stand behind a sensitive key: ``key=value``, ``"key": "value"`` and kin.

The forms are found with one pattern each; the key is judged by the same list as the keys of
dicts, and the extent of the value is found by its first character. Every character is consumed
once, so the work is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from z4j_core.redaction.blocks import extent_of_block
from z4j_core.redaction.counts import ADDED_KEY_RULE, KEY_RULE, Counts
from z4j_core.redaction.keys import COUNTED, HIDDEN, PLAIN, words_of
from z4j_core.redaction.marks import MASK

FURTHEST_KEY: Final = 160
LONGEST_KEY: Final = 128

# key=value, key: value, key: str = value, key == value, key => value, key%3Dvalue.
# Every branch starts with a literal, so that the search skips over other characters fast.
_SIGN = re.compile(
    r":(?:[ \t]{0,4}+(?:str|bytes|int|Any|SecretStr|Optional\[str\])"
    r"(?:[ \t]{0,2}+\|[ \t]{0,2}+None)?+[ \t]{0,4}+=(?!=)|=|(?!:))"
    r"|=(?:={1,2}+|>)?+|!={1,2}+|%3[AaDd]"
)
# Read backwards from the sign: spaces, the rest of d["key"], (key) or \"key\", the key.
_KEY_REVERSED = re.compile(
    rf"[ \t]{{0,16}}+[\])]?+(?:[\"']\\{{0,8}}+)?+(?P<key>[\w.\-]{{1,{LONGEST_KEY}}}+)"
)
_COLON = re.compile(":")  # names the form that HTTP headers take
_SPACE = re.compile(r"[ \t]{0,16}+")
# --key value, "--key", "value"
_FLAG = re.compile(
    r"--(?P<key>[^\W\d][\w\-]{0,127}+)(?:[\"'],[ \t]{0,8}+(?=[\"'])|[ \t]{1,8}+)(?![\s\-])"
)
# ("key", "value")
_PAIR = re.compile(r"\(b?[\"'](?P<key>[\w.\-]{1,128}+)[\"'],[ \t]{0,4}+(?=b?[\"'])")
# A validation error of pydantic: the field on a line, what was given on the next.
_FIELD = re.compile(
    r"^[ \t]{0,16}+(?P<key>[\w.\-]{1,128}+)\n {2,18}[^\n]{0,512}?\binput_value=", re.MULTILINE
)
# "name": "KEY", "value": "value", as environment variables are listed; and the same in YAML
_NAMED = re.compile(
    r"\b(?:name|key)(?:\\{0,8}+[\"'])?+[ \t]{0,4}+[:=][ \t]{0,4}+(?:\\{0,8}+[\"'])?+"
    r"(?P<key>[\w.\-]{1,128}+)(?:\\{0,8}+[\"'])?+,?\s{0,64}+(?:\\{0,8}+[\"'])?+"
    r"value(?:\\{0,8}+[\"'])?+[ \t]{0,4}+[:=][ \t]{0,8}+",
    re.IGNORECASE,
)
# SQL and messages: PASSWORD 'value'
_SPACED = re.compile(
    r"\b(?P<key>password|passwd|passphrase|secret)[ \t]{1,4}+(?=[\"'])", re.IGNORECASE
)
# <key>value</key>
_ELEMENT = re.compile(r"<(?P<key>[^\W\d][\w.:\-]{0,127}+)>")

_QUOTE = re.compile(r"[bBuUrRfF]{0,2}+(?P<slashes>\\{0,8}+)(?P<quote>\"\"\"|'''|\"|')")
_IN_QUOTES: Final = {
    '"': re.compile(r'(?:[^"\\\n]|\\[^\n])*+'),
    "'": re.compile(r"(?:[^'\\\n]|\\[^\n])*+"),
}
_TO_LINE_END = re.compile(r"(?:[^\r\n\\]|\\(?![rn]))*+")
_ELEMENT_BODY = re.compile(r"[^<]*+")
_SCHEME = re.compile(
    r"(?:bearer|basic|digest|negotiate|token|apikey)[ \t]{1,4}+(?=[^\s])", re.IGNORECASE
)
# A delimiter ends the value only where something that is no value follows it.
_UNQUOTED = re.compile(
    r"(?:[^\s,;&\"'()\[\]{}<>\\|]"
    r"|[,;&|](?!\s|[\w.\-]{1,64}+=|[\"']|$)"
    r"|[\"')\]}>](?![\s,;:.)\]}>\"'&\\]|$)"
    r"|[(\[{]"
    r"|<(?!/)"
    r"|\\(?![\"'rn]|$))*+"
)
_JOINED = re.compile(r"[\w\"'$@!#%^*+~(\[{/=]")  # what makes a quoted value go on
_NOTHING: Final = re.compile(
    r"none|null|nil|undefined|true|false|str|bytes|int|bool|float|dict|list|any|object|secretstr"
    r"|\.\.\.|''|\"\"",
    re.IGNORECASE,
)
"""Values and type names that hide nothing."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_BRACKET_OR_QUOTE = re.compile(r"[()\[\]{}\"']")
_BLOCK_MARKS: Final = ("|", ">")
_HEADER_WORDS: Final = ("authorization", "cookie")

KindOf = Callable[[str, str], int]


class Assignment(NamedTuple):
    """A key in text: where it starts, and where its value starts, quotes included."""

    key: str
    key_start: int
    value_start: int
    form: re.Pattern[str]


Finder = Callable[[str, int], Assignment | None]


def mask_assignments(text: str, kind_of: KindOf, counts: Counts) -> str:
    """Mask the values of sensitive keys; ``kind_of(key, character before it)`` judges a key."""
    text = _mask(text, _find_sign, kind_of, counts)
    if "--" in text:
        text = _mask(text, partial(_find_form, _FLAG), kind_of, counts)
    if "</" in text:
        text = _mask(text, partial(_find_form, _ELEMENT), kind_of, counts)
    if "input_value=" in text:
        text = _mask(text, partial(_find_form, _FIELD), kind_of, counts)
    if "value" in text and ("name" in text or "key" in text):
        text = _mask(text, partial(_find_form, _NAMED), kind_of, counts)
    if " '" in text or ' "' in text:
        text = _mask(text, partial(_find_form, _SPACED), kind_of, counts)
    if "('" in text or '("' in text or "(b" in text:
        text = _mask(text, partial(_find_form, _PAIR), kind_of, counts)
    return text


def _mask(text: str, find: Finder, kind_of: KindOf, counts: Counts) -> str:
    parts: list[str] = []
    done = position = 0
    while (found := find(text, position)) is not None:
        position = found.value_start
        kind = kind_of(found.key, text[found.key_start - 1 : found.key_start])
        if kind == PLAIN:
            continue
        start, end = _extent(text, found)
        if start < end and _is_worth_masking(text[start:end], kind):
            parts += (text[done:start], MASK)
            counts.add(ADDED_KEY_RULE if kind == HIDDEN else KEY_RULE)
            done = end
        position = max(position, end)
    if not parts:
        return text
    parts.append(text[done:])
    return "".join(parts)


def _find_sign(text: str, position: int) -> Assignment | None:
    floor = position
    while (sign := _SIGN.search(text, position)) is not None:
        place, position = sign.span()
        behind = text[max(place - FURTHEST_KEY, floor) : place][::-1]
        key = _KEY_REVERSED.match(behind)
        if key is not None:
            space = _end(_SPACE, text, position)
            form = _COLON if sign[0] == ":" else _SIGN
            return Assignment(key["key"][::-1], place - key.end(), space, form)
    return None


def _find_form(form: re.Pattern[str], text: str, position: int) -> Assignment | None:
    match = form.search(text, position)
    if match is None:
        return None
    return Assignment(match["key"], match.start("key"), match.end(), form)


def _is_worth_masking(value: str, kind: int) -> bool:
    if value == MASK:
        return False
    if kind == HIDDEN:
        return True
    if kind == COUNTED and _NUMBER.fullmatch(value):
        return False
    return _NOTHING.fullmatch(value) is None


def _extent(text: str, found: Assignment) -> tuple[int, int]:
    """Return where the value behind the key starts and ends."""
    position = found.value_start
    if found.form is _ELEMENT:
        return position, _end(_ELEMENT_BODY, text, position)
    if text[position : position + 1] in _BLOCK_MARKS and found.form is _COLON:
        block = extent_of_block(text, found.key_start, position)
        if block is not None:
            return block
    quote = _QUOTE.match(text, position)
    if quote is not None:
        return _extent_of_quoted(text, quote)
    if text[position : position + 1] in _CLOSERS:
        return position, _end(_UNQUOTED, text, _end_of_brackets(text, position))
    if found.form is _COLON and any(w.endswith(_HEADER_WORDS) for w in words_of(found.key)):
        return position, _end_of_header(text, found.key_start, position)
    scheme = _SCHEME.match(text, position)
    return position, _end(_UNQUOTED, text, scheme.end() if scheme else position)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match is not None else position


def _extent_of_quoted(text: str, quote: re.Match[str]) -> tuple[int, int]:
    """Return what is between the quotes, or all of it when more is joined (``'a'b``)."""
    start, end, mark = quote.end(), _end_of_quoted(text, quote), quote["quote"]
    if quote["slashes"] or len(mark) == 3:
        return start, end
    while text[end : end + 2] == mark * 2:
        end = _end(_IN_QUOTES[mark], text, end + 2)
    if text[end : end + 1] == mark and _JOINED.match(text, end + 1):
        # The quotes go as well: one left over would swallow the rest of the line next time.
        return quote.start(), _end(_UNQUOTED, text, end)
    return start, end


def _end_of_quoted(text: str, quote: re.Match[str]) -> int:
    """Return the place of the closing quote, or the end of the line when there is none."""
    mark, slashes = quote["quote"], quote["slashes"]
    if slashes or len(mark) == 3:
        close = text.find(slashes + mark, quote.end())
        if close >= 0:
            return close
        return len(text) if len(mark) == 3 else _end(_TO_LINE_END, text, quote.end())
    return _end(_IN_QUOTES[mark], text, quote.end())


def _end_of_brackets(text: str, position: int) -> int:
    """Return the end of a balanced literal, or of the text when it is not closed."""
    open_brackets: list[str] = []
    while (match := _BRACKET_OR_QUOTE.search(text, position)) is not None:
        char = match[0]
        position = match.end()
        if char in _IN_QUOTES:
            position = _end(_IN_QUOTES[char], text, position) + 1
        elif char in _CLOSERS:
            open_brackets.append(_CLOSERS[char])
        else:
            if not open_brackets or open_brackets.pop() != char:
                break
            if not open_brackets:
                return position
    return len(text)


def _end_of_header(text: str, start_of_key: int, position: int) -> int:
    """A header goes on to the end of its line, or of the quotes that it stands in."""
    before = text[start_of_key - 1 : start_of_key]
    if before in _IN_QUOTES:
        return _end(_IN_QUOTES[before], text, position)
    return _end(_TO_LINE_END, text, position)
