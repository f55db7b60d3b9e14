"""Rules that somebody adds, addresses by option, and what is counted."""

from __future__ import annotations

import re

import pytest

from z4j_core.redaction import MASK, Counts, Redactor, Rule
from z4j_core.redaction.counts import MAX_COUNTED

STAFF = Rule("staff-number", "staff numbers", (), re.compile(r"\bST-[0-9]{4}\b"))
ADDRESSES = [
    "jane.doe@example.com", "jane+orders@mail.example.co.uk", "j_d%x@sub-domain.example.org",
]  # fmt: skip
NO_ADDRESSES = [
    "git@github", "a @ b", "@types/node", "celery@worker-1", "user@localhost", "x@y.z1", "2@3.4",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_are_hidden_only_where_that_is_asked_for(address: str) -> None:
    value = {"to": address, "note": [f"sent to <{address}>."], address: 1}
    assert Redactor().value(value) is value
    redactor = Redactor(emails=True)
    redacted = redactor.value(value)
    assert redacted == {"to": MASK, "note": [f"sent to <{MASK}>."], MASK: 1}
    assert redactor.value(redacted) is redacted
    assert redactor.text(f"from {address}\nto bob") == f"from {MASK}\nto bob"
    assert redactor.counts.snapshot()["email"] >= 4


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_stays(text: str) -> None:
    assert Redactor(emails=True).text(text) == text


def test_an_added_rule_sees_texts_that_the_built_in_gates_let_pass() -> None:
    redactor = Redactor(extra_rules=(STAFF,))
    given = {"who": "ST-1234", "a": ["by ST-1234", "ST-12345"], "n": 1}
    assert redactor.value(given) == {"who": MASK, "a": [f"by {MASK}", "ST-12345"], "n": 1}
    assert redactor.json(b'{"x":"ST-1234"}') == b'{"x":"[redacted]"}'
    assert redactor.exactly({"x": "ST-1234"}) == ({"x": MASK}, False)
    assert redactor.arguments(["ST-1234"], ("who",)) == ([MASK], False)
    assert redactor.counts.snapshot() == {"staff-number": 5}


def test_a_rule_that_matches_everything_still_settles() -> None:
    for pattern in (r"\w+", r".", r"x*", r"\[", r"(?P<secret>q)?z"):
        redactor = Redactor(extra_rules=(Rule("all", "all", (), re.compile(pattern)),))
        once = redactor.text("some quite ordinary text with zeal")
        assert redactor.text(once) == once


def test_counts_are_by_rule_and_never_count_a_mask_again() -> None:
    counts = Counts()
    redactor = Redactor(extra_key=lambda key: key == "plate" or None, counts=counts)
    value = {
        "password": "x7x7", "plate": "B-XY 1", "card": [4111111111111111],
        "dsn": "redis://u:x7x7@cache", "note": "token=x7x7 password: x7x7",
    }  # fmt: skip
    redacted = redactor.value(value)
    expected = {"key": 3, "added-key": 1, "card-number": 1, "url-credentials": 1}
    assert counts.snapshot() == expected
    assert redactor.value(redacted) == redacted
    assert counts.snapshot() == expected
    assert "x7x7" not in str(counts.snapshot())


def test_counts_are_bounded() -> None:
    counts = Counts()
    for number in range(MAX_COUNTED * 2):
        counts.add(f"rule-{number}")
    counts.add("rule-0")
    assert len(counts.snapshot()) == MAX_COUNTED
    assert counts.snapshot()["rule-0"] == 2
