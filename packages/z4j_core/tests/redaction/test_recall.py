"""Recall and precision on a corpus that is made anew from its data on every run: `pytest -s`.

The data holds forms, such as ``AKIA«upper:16»``, and surroundings; the random parts come from
seeds, so no scanner of repositories finds a secret here and none was ever a real one. A secret
counts as hidden only when nothing of a random part is left, not even `SEEN` characters in a row.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import re
import string
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from z4j_core.redaction import RULES, Redactor

REDACTOR = Redactor()
CORPUS = Path(__file__).parent / "corpus"
SEED = 20
SEEN = 6
FORMS_OF_A_SECRET = 4
VALUES_OF_A_KEY = 3

ALPHABETS = {
    "upper": string.ascii_uppercase + "234567",
    "alpha": string.ascii_letters,
    "lower": string.ascii_lowercase,
    "lowernum": string.ascii_lowercase + string.digits,
    "alnum": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "digits": string.digits,
    "word": string.ascii_letters + string.digits + "_-",
    "b64": string.ascii_letters + string.digits + "+/",
    "pw": string.ascii_letters + string.digits + "!#$%*+-./=~^?@",
    "pwurl": string.ascii_letters + string.digits + "!$*+-._~",
}
PART = re.compile(r"«(?P<what>\w+)(?::(?P<a>\d+))?(?::(?P<b>\d+))?(?::(?P<c>.))?»")


class Secret(NamedTuple):
    kind: str
    text: str
    parts: tuple[str, ...]

    def is_hidden_in(self, redacted: str) -> bool:
        """Tell whether no random part, and no piece of one, can be read."""
        return not any(
            part[at : at + SEEN] in redacted
            for part in self.parts
            for at in range(max(len(part) - SEEN, 0) + 1)
        )


class Planted(NamedTuple):
    secret: Secret
    text: str


class LookAlike(NamedTuple):
    kind: str
    text: str


def load(name: str) -> Any:
    return json.loads((CORPUS / f"{name}.json").read_text("utf-8"))


def make(kind: str, form: str, rng: random.Random) -> Secret:
    parts: list[str] = []

    def fill(match: re.Match[str]) -> str:
        parts.append(part_of(match, rng))
        return parts[-1]

    text = PART.sub(fill, form)
    return Secret(kind, text, tuple(part for part in parts if len(part) >= SEEN) or (text,))


def part_of(match: re.Match[str], rng: random.Random) -> str:
    what = match["what"]
    if what == "uuid":
        return str(uuid.UUID(int=rng.getrandbits(128), version=4))
    if what == "card":
        return card(match["a"], int(match["b"]), match["c"] or "", rng)
    made = "".join(rng.choices(ALPHABETS[what], k=int(match["a"])))
    made = f"a{made[1:]}" if made[0] == "-" else made  # no flag of a command line
    # What ends a sentence, or pads base64, is not the end of a password here.
    return f"{made[:-2]}x7" if what == "pw" and made[-1] in "./?=!" else made


def card(head: str, length: int, separator: str, rng: random.Random) -> str:
    digits = head + "".join(rng.choices(string.digits, k=length - len(head) - 1))
    total = sum(
        sum(divmod(int(digit) * 2, 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(reversed(digits))
    )
    digits += str(-total % 10)
    groups = (4, 4, 4, 4) if length == 16 else (4, 6, length - 10)
    cut = [sum(groups[:n]) for n in range(len(groups) + 1)]
    return separator.join(digits[a:b] for a, b in itertools.pairwise(cut))


def placed(secret: Secret, surrounding: str) -> Planted:
    text = surrounding.replace("{json}", secret.text.replace("\n", "\\n"))
    text = text.replace("{indent}", "    " + secret.text.replace("\n", "\n    "))
    return Planted(secret, text.replace("{}", secret.text))


def secrets(rng: random.Random) -> Iterator[Secret]:
    for group in load("secrets"):
        yield from (make(group["kind"], form, rng) for form in group["forms"])
    yield from (make("url-credentials", form, rng) for form in load("urls"))
    yield from (make("bearer-header", form, rng) for form in load("headers"))
    for label in load("pem"):
        body = base64.encodebytes(rng.randbytes(180)).decode().rstrip()
        text = f"-----BEGIN {label}-----\n{body}\n-----END {label}-----"
        yield Secret("pem-private-key", text, tuple(body.split("\n")))


def planted(seed: int) -> list[Planted]:
    rng = random.Random(seed)
    around = load("surroundings")
    made = []
    for number, secret in enumerate(secrets(rng)):
        choice = around.get(secret.kind, around["anywhere"])
        for turn in range(min(FORMS_OF_A_SECRET, len(choice))):
            made.append(placed(secret, choice[(number * FORMS_OF_A_SECRET + turn) % len(choice)]))
    keys, values = load("keys")["keys"], load("keys")["values"]
    for surrounding in around["key"]:
        for _ in range(VALUES_OF_A_KEY):
            key, secret = rng.choice(keys), make("key", rng.choice(values), rng)
            made.append(Planted(secret, assigned(surrounding, key, secret.text)))
    return made


def assigned(surrounding: str, key: str, value: str) -> str:
    upper = re.sub(r"[.-]", "_", key).upper()
    flag = re.sub(r"[._]", "-", key).lower()
    text = surrounding.replace("{key}", key).replace("{KEY}", upper).replace("{flag}", flag)
    return text.replace("{v}", value)


def lookalikes(seed: int) -> list[LookAlike]:
    rng = random.Random(seed)
    made = [LookAlike("key", text) for text in load("written_lookalikes")]
    for group in load("lookalikes"):
        for _ in range(group["times"]):
            made += (LookAlike(group["kind"], make("", t, rng).text) for t in group["texts"])
    return made


def test_every_planted_secret_is_hidden_and_few_lookalikes_are() -> None:
    found, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    told: list[str] = []
    for secret, text in (every := planted(SEED)):
        assert all(part in text.replace("\\n", "\n") for part in secret.parts), text
        is_hidden = secret.is_hidden_in(REDACTOR.text(text))
        (found if is_hidden else missed)[secret.kind] += 1
        told += [] if is_hidden else [f"{secret.kind} seen in {text!r}"]
    for kind, text in (alike := lookalikes(SEED)):
        if REDACTOR.text(text) != text:
            wrong[kind] += 1
            told.append(f"taken for {kind}: {text!r} → {REDACTOR.text(text)!r}")
    print(report(found, missed, wrong))
    print("\n".join(told))
    assert len(every) >= 300
    assert len(alike) >= 300
    assert set(found) == {rule.name for rule in RULES} | {"key"}
    assert not missed, told
    assert sum(wrong.values()) <= 0.02 * len(alike), told


def report(found: Counter[str], missed: Counter[str], wrong: Counter[str]) -> str:
    lines = [f"\n{'kind':>20}  planted  recall  precision"]
    for kind in (*sorted(found | missed), "all"):
        hits, misses, false = (
            counts.total() if kind == "all" else counts[kind] for counts in (found, missed, wrong)
        )
        recall, precision = hits / (hits + misses), hits / max(hits + false, 1)
        lines.append(f"{kind:>20}  {hits + misses:7}  {recall:6.1%}  {precision:9.1%}")
    return "\n".join(lines)
