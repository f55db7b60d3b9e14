"""The table of shapes, its gates, and the page that documents both."""

from __future__ import annotations

from pathlib import Path

import pytest

from z4j_core.redaction import KEY_PHRASES, MASK, RULES, Redactor
from z4j_core.redaction.cards import is_card_integer, is_card_number
from z4j_core.redaction.gates import may_have_shape, may_hold_secret

PAGE = Path(__file__).resolve().parents[4] / "docs" / "redaction.md"
NEEDLES = [(rule.name, needle) for rule in RULES for needle in rule.needles]


def test_rules_have_distinct_names_and_say_what_they_hide() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.what for rule in RULES)


@pytest.mark.parametrize(("name", "needle"), NEEDLES)
def test_gate_lets_every_needle_through(name: str, needle: str) -> None:
    if name == "url-credentials":
        assert may_hold_secret("ftp://u:p@h", any_key=False)
        return
    # With the separators and the digit of a whole match, and as long as one. The capital is for
    # the base64 of "==".
    text = f"{needle}-_. 012345678A"
    assert may_have_shape(text)
    assert may_hold_secret(text, any_key=False)


def test_page_lists_the_rules_as_they_are() -> None:
    page = PAGE.read_text("utf-8")
    table = [f"| `{rule.name}` | {rule.what} |" for rule in RULES]
    assert "\n".join(table) in page
    section = page.split("## By shape")[1].split("## ")[0]
    assert section.count("\n| `") == len(table)


def test_page_lists_the_key_phrases_as_they_are() -> None:
    listed = PAGE.read_text("utf-8").split("<!-- phrases -->")[1]
    assert tuple(phrase.strip() for phrase in listed.replace("\n", " ").split("·")) == KEY_PHRASES


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "5555555555554444", "2223003122003222", "378282246310005",
     "6011111111111117", "30569309025904", "3530111333300000", "6200000000000005"],
)  # fmt: skip
def test_card_numbers(number: str) -> None:
    assert is_card_number(number)
    assert is_card_integer(int(number))
    assert Redactor().value([number, int(number)]) == [MASK, MASK]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert Redactor().value([wrong, int(wrong)]) == [wrong, int(wrong)]


def test_numbers_of_no_issuer_are_shown() -> None:
    # A right check digit alone is no card: times and identifiers have one now and then.
    value = [1700000000000000007, 1_700_000_000_123_458, "9999999999999995", 0, -4111111111111111]
    assert Redactor().value(value) is value
