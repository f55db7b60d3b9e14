"""The cookie of a browser that has signed in before."""

from __future__ import annotations

import pytest

from z4j_brain.auth.known_browser import VALID_DAYS, make, number_of
from z4j_brain.keys import Keys

DAY = 86_400_000_000
NOON = 1_700_000_000_000_000
KEYS = Keys(b"m" * 32, b"s" * 32)


def test_it_is_known_to_its_account_for_half_a_year() -> None:
    value = make(KEYS, "Ada@example.org", NOON)
    number = number_of(KEYS, value, "ada@example.org ", NOON)
    assert number == value[:32]
    assert number_of(KEYS, value, "ada@example.org", NOON + (VALID_DAYS - 1) * DAY) == number
    assert number_of(KEYS, value, "ada@example.org", NOON + VALID_DAYS * DAY) is None
    assert number_of(KEYS, value, "eve@example.org", NOON) is None
    assert number_of(Keys(b"m" * 32, b"t" * 32), value, "ada@example.org", NOON) is None
    assert make(KEYS, "ada@example.org", NOON) != value
    assert "example" not in value.lower()


@pytest.mark.parametrize("place", [0, 33, -1])
def test_no_part_of_it_can_be_changed(place: int) -> None:
    value = list(make(KEYS, "ada@example.org", NOON))
    value[place] = "1" if value[place] != "1" else "0"
    assert number_of(KEYS, "".join(value), "ada@example.org", NOON) is None


@pytest.mark.parametrize("value", [None, "", ".", "a.b.c", "é" * 99, "0" * 5_000, "1.1.1\n"])
def test_nonsense_is_not_known(value: str | None) -> None:
    assert number_of(KEYS, value, "ada@example.org", NOON) is None
