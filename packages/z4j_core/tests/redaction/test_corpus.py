"""Every planted secret goes, every look-alike stays.

In the data file a ``¦`` parts each planted token, so that scanners of repositories do not take
the corpus for a leak.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from z4j_core.redaction import MASK, RULES, Redactor, Rule

REDACTOR = Redactor()
ANY_KEY = Redactor(extra_key=lambda key: None)
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Planted:
    name: str
    text: str
    secrets: tuple[str, ...]

    def is_hidden_in(self, redacted: str) -> bool:
        return not any(secret in redacted for secret in self.secrets)


def _load(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


PLANTED = [
    Planted(row["name"], row["text"].replace("¦", ""), tuple(row["secrets"]))
    for row in _load("corpus/written.json")
]
LOOKALIKES: list[str] = _load("corpus/written_lookalikes.json")
each_planted = pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
each_lookalike = pytest.mark.parametrize("text", LOOKALIKES)


def test_corpus_is_large_and_says_what_it_plants() -> None:
    assert len(PLANTED) >= 80
    assert len(LOOKALIKES) >= 80
    for planted in PLANTED:
        assert planted.secrets
        assert all(secret in planted.text for secret in planted.secrets), planted.name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_corpus_has_an_example_of_every_rule(rule: Rule) -> None:
    assert any(rule.apply(planted.text) != planted.text for planted in PLANTED)


@each_planted
def test_planted_secret_is_hidden_in_text(planted: Planted) -> None:
    redacted = REDACTOR.text(planted.text)
    assert planted.is_hidden_in(redacted)
    assert MASK in redacted
    assert REDACTOR.text(redacted) == redacted


@each_planted
def test_planted_secret_is_hidden_anywhere_in_a_value(planted: Planted) -> None:
    value = {"kwargs": {"note": [planted.text, 1]}, planted.text: 1, "pair": (planted.text, 2)}
    redacted = REDACTOR.value(value)
    encoded = msgspec.json.encode(redacted).decode()
    for secret in planted.secrets:
        assert msgspec.json.encode(secret).decode()[1:-1] not in encoded
    assert REDACTOR.value(redacted) == redacted
    assert ANY_KEY.value(value) == redacted


@each_planted
def test_planted_secret_is_hidden_in_json(planted: Planted) -> None:
    payload = msgspec.json.encode({"message": planted.text})
    (message,) = msgspec.json.decode(REDACTOR.json(payload)).values()
    assert planted.is_hidden_in(message)


@each_planted
def test_planted_secret_is_hidden_amid_other_lines(planted: Planted) -> None:
    text = f'Traceback:\n  File "a.py", line 1, in f\n    x = 1\n\n{planted.text}\nlast line'
    redacted = REDACTOR.text(text)
    assert planted.is_hidden_in(redacted)
    assert redacted.startswith('Traceback:\n  File "a.py", line 1, in f\n    x = 1\n')


@each_planted
def test_planted_secret_is_hidden_when_long_text_is_cut(planted: Planted) -> None:
    rng = random.Random(planted.name)
    for _ in range(5):
        before = "lorem ipsum " * rng.randrange(330, 345)
        redacted = REDACTOR.value(f"{before}\n{planted.text}\n{'dolor sit ' * 3000}")
        assert isinstance(redacted, str)
        assert len(redacted) <= 4096
        assert planted.is_hidden_in(redacted)


@each_lookalike
def test_lookalike_stays(text: str) -> None:
    assert REDACTOR.text(text) == text
    assert ANY_KEY.text(text) == text
    assert REDACTOR.value(text) is text
    assert REDACTOR.exactly({"note": text}) == ({"note": text}, True)
