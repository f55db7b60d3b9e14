"""What may become a password: NIST SP 800-63B-4, section 3.1.1.2."""

from __future__ import annotations

import pytest

from z4j_brain.auth.password_rules import (
    LEAST_CHARACTERS,
    MOST_BYTES,
    PasswordRefusedError,
    check_new,
)
from z4j_brain.auth.passwords import Passwords

GOOD = [
    "correct horse battery staple",
    "tulip anvil quarry mist",
    "kW7fpQz2mXv9Lr4",
    "              x y z k v w",
    "пять зелёных жирафов",
    "密码密码不是这样的密码对吧谢谢您",
    "🦆🐎🔋📎🌷⛰️🧱🥁🎻🚲🪁🧭🪵🕯️🫖",
    "a1b9" + "x7q" * 5,
    "!)-+=[]{}|;:,.<>?/~",
    "k7wq9zxm" * 2,
]
FREQUENT = [
    "passwordpassword",
    "Password1234567!",
    "p@ssw0rdp@ssw0rd",
    "P4SSW0RD-P4SSW0RD",
    "aaaaaaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabc",
    "x7qx7qx7qx7qx7qx7q",
    "123456789012345678",
    "09876543210987654321",
    "qwertyuiopasdfghjkl",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv",
    "zxcvbnmasdfghjklqwertyuiop",
    "qwertzuiopasdfghjkl",
    "iloveyouiloveyou",
    "Welcome2026Welcome2026",
    "admin admin admin admin",
    "ChangeMe-ChangeMe-1",
    "summer2024winter2025",
    "letmein!letmein!",
    "z4jz4jz4jz4jz4jz4j",
    "................",
    "                    ",
    "!@#$%^&*()!@#$%^&*()",
    "ada.ada.ada.ada.ada.ada",
    "Example-Example-Example",
]


@pytest.mark.parametrize("password", GOOD)
def test_any_character_will_do(password: str) -> None:
    check_new(password, email="ada@example.org", name="Ada")


@pytest.mark.parametrize("password", FREQUENT)
def test_frequent_ones_are_refused(password: str) -> None:
    assert len(password) >= LEAST_CHARACTERS
    with pytest.raises(PasswordRefusedError, match="easily guessed"):
        check_new(password, email="ada@example.org", name="Ada")


def test_length_is_counted_in_characters_and_bounded_in_bytes() -> None:
    letters = "kwfpqzmxvlrjtnyhgdbs"
    for password in (letters[:14], "", "é" * 14):
        with pytest.raises(PasswordRefusedError, match="at least 15 characters"):
            check_new(password, email="a@b", name="A")
    check_new(letters[:15], email="a@b", name="A")
    long = (letters * 52)[:MOST_BYTES]
    check_new(long, email="a@b", name="A")
    for password in (long + "x", "ü" + long[1:], letters + "\ud800"):
        with pytest.raises(PasswordRefusedError, match="at most 1,024 bytes"):
            check_new(password, email="a@b", name="A")


@pytest.mark.parametrize(
    "password", ["xxLovelace kw7fpqzm", "countess!ADA.L@example", "lovelace" * 3]
)
def test_it_may_not_hold_the_name(password: str) -> None:
    with pytest.raises(PasswordRefusedError, match="your name"):
        check_new(password, email="countess@example.org", name="Lovelace")


def test_a_short_name_does_not_forbid_every_word_that_holds_it() -> None:
    check_new("tulip canada quarry mist", email="ada@example.org", name="Ada")


def test_the_longest_is_judged_without_catastrophe() -> None:
    for hostile in ("ab" * 512, "a" * 1_023 + "b", "aab" * 341, "asdf1234" * 128):
        with pytest.raises(PasswordRefusedError):
            check_new(hostile, email="a@b", name="A")


def test_two_spellings_of_one_letter_are_one_password() -> None:
    passwords = Passwords(time_cost=1, memory_kib=64, parallelism=1)
    stored = passwords.hash("caf\u00e9 tulip quarry")
    assert passwords._check(stored, "cafe\u0301 tulip quarry")
    assert not passwords._check(stored, "cafe tulip quarry")
    for impossible in ("x" * (MOST_BYTES + 1), "\ud800"):
        assert not passwords._check(stored, impossible)
    passwords.close()
