"""Whether a password is among those that people choose first.

No list of leaked passwords is shipped: what such lists begin with is made of a few parts, so the
parts are the list, and every password that they make is refused.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator

LEAST_PARTS = 6
"""A frequent part counts as one character; a password needs this many."""
MOST_JUDGED = 128
_LEAST_RUN = 4
_LONGEST_UNIT = 8
_SIGNS = frozenset(" " + string.punctuation)

_WORDS = """
    abc access account admin administrator adobe alexander amanda andrew angel anthony apple april
    asdf ashley august autumn azerty baby backup bailey banana baseball basketball batman beach
    beautiful blink boomer buster butterfly camaro changeit changeme changethis charlie cheese
    chelsea chicken chocolate cisco company computer cookie cool corvette cowboy dallas daniel
    database david december default demo diamond dolphin donald dragon eagle elephant enter eagles
    everton fall february ferrari fishing flower football forever forget freedom friday friend
    friends ginger golfer google guest hannah harley heather hello hockey hottie hunter iloveu
    iloveyou i in internet is it jackson january jasmine jennifer jessica jordan joshua july june
    justin killer letmein linux liverpool login london love loveme lovely maggie manager march
    marina martin master matrix matthew maverick may melissa mercedes merlin michael michelle
    mickey monday money monkey mother mustang my mypass naruto nicole ninja november nothing
    october oracle orange pass passcode passphrase passw passwd password passwort peanut pepper
    phoenix player please pokemon postgres princess private purple qazwsx qwer qwerty qwertz
    rainbow ranger redis robert root samantha samsung saturday secret secure security september
    server service shadow silver slipknot snoopy soccer sophie spider spring starwars startrek
    steelers success summer sunday sunshine superman support sweet swordfish system taylor temp
    temporary tennis test tester testing the thomas thunder thursday tigger toor trustno tuesday
    user username victoria wednesday welcome whatever william wilson winner winter yankees yellow
    you your z4j zaq zxcvbn
"""
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiopü",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
_LEET = str.maketrans("@4310$5+7!", "aaeiosstti")
_FREQUENT = frozenset(_WORDS.split())
_RUNS = _ROWS + tuple(row[::-1] for row in _ROWS)
_YEAR = re.compile(r"(?:19|20)\d\d")
_REPEATS = [re.compile(rf"(.{{{length}}})\1+", re.DOTALL) for length in range(1, _LONGEST_UNIT + 1)]


def is_frequent(password: str, about: Iterable[str] = ()) -> bool:
    """Tell whether a password has fewer than `LEAST_PARTS` parts.

    A part is a frequent word, a word of `about` (what is known of its owner), a year, a row of the
    keyboard, alphabet or digits in either direction, or any other single character; what is
    repeated counts once. Case and the usual replacements of letters (`p@ssw0rd`) do not matter,
    and a space or sign between words counts nothing. Only the first `MOST_JUDGED` characters are
    looked at, which takes some milliseconds.
    """
    own = {part for text in about for part in re.split(r"[\W_]+", folded(text)) if len(part) > 2}
    text = folded(password)[:MOST_JUDGED]
    words = _FREQUENT | own
    return any(_parts(one, words, {}) < LEAST_PARTS for one in {text, text.translate(_LEET)})


def folded(text: str) -> str:
    """Return the form in which passwords and names are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def _parts(text: str, words: frozenset[str] | set[str], known: dict[str, int]) -> int:
    """Return the least number of parts that make up the text; `known` are units counted before."""
    longest = max(map(len, words))
    fewest = [0] + [len(text)] * len(text)
    for start, character in enumerate(text):
        so_far = fewest[start]
        step = 0 if character in _SIGNS and start and text[start - 1] not in _SIGNS else 1
        fewest[start + 1] = min(fewest[start + 1], so_far + step)
        for end in _ends(text, start, words, longest):
            fewest[end] = min(fewest[end], so_far + 1)
        for unit, end in _repeats(text, start):
            if unit not in known:
                known[unit] = _parts(unit, words, known)
            fewest[end] = min(fewest[end], so_far + known[unit])
    return fewest[-1]


def _ends(text: str, start: int, words: frozenset[str] | set[str], longest: int) -> Iterator[int]:
    """Yield where a word, a year or a run that begins here may end."""
    for end in range(start + 1, min(len(text), start + longest) + 1):
        if text[start:end] in words:
            yield end
    if _YEAR.match(text, start):
        yield start + 4
    for row in _RUNS:
        at = row.find(text[start : start + _LEAST_RUN])
        if at < 0 or start + _LEAST_RUN > len(text):
            continue
        length = _LEAST_RUN
        while text[start + length : start + length + 1] == row[at + length : at + length + 1] != "":
            length += 1
        yield start + length


def _repeats(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield what is repeated from here on, and where that ends."""
    for pattern in _REPEATS:
        found = pattern.match(text, start)
        if found is not None and len(found[0]) >= _LEAST_RUN:
            yield found[1], found.end()
