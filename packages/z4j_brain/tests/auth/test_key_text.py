"""The text of an API key."""

from __future__ import annotations

import uuid

from z4j_brain.auth.api_keys import is_allowed_from
from z4j_brain.auth.key_text import PREFIX, KeyText, is_in, parse

KEY = KeyText(uuid.UUID(int=7), bytes(range(32)))


def test_a_key_is_read_back() -> None:
    text = KEY.text()
    assert text.startswith(PREFIX)
    assert parse(text) == KEY
    assert KEY.secret.hex() not in repr(KEY)
    assert text not in repr(KEY)


def test_every_single_wrong_character_is_found() -> None:
    text = KEY.text()
    for index in range(len(PREFIX), len(text)):
        for wrong in "Aa9_":
            if text[index] != wrong:
                assert parse(text[:index] + wrong + text[index + 1 :]) is None


def test_what_is_no_key() -> None:
    text = KEY.text()
    for wrong in ("", PREFIX, text[:-1], text + "A", text + "=", text.upper(), text[4:], "ü" * 78):
        assert parse(wrong) is None


def test_a_key_is_seen_in_text() -> None:
    assert is_in(f"/projects/shop/tasks?q={KEY.text()}&limit=1")
    assert not is_in("/projects/shop/tasks?q=z4j_key_of_ours")


def test_addresses() -> None:
    networks = ("192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32")
    for inside in ("192.0.2.1", "2001:db8::1", "198.51.100.7", "::ffff:192.0.2.9"):
        assert is_allowed_from(networks, inside), inside
    for outside in ("192.0.3.1", "2001:db9::1", "198.51.100.8", "::ffff:192.0.3.9", "", "x", None):
        assert not is_allowed_from(networks, outside), outside
        assert is_allowed_from((), outside)
