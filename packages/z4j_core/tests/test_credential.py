"""Tokens and derived keys."""

from __future__ import annotations

import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_core import credential as c

AGENT, PROJECT, TOKEN = (uuid.UUID(int=n) for n in (1, 2, 3))
CREDENTIAL = c.Credential(AGENT, bytes(32), bytes([1]) * 32, bytes([2]) * 32)


@given(st.uuids(), *[st.binary(min_size=32, max_size=32)] * 3)
def test_a_token_can_be_taken_apart(agent: uuid.UUID, a: bytes, b: bytes, s: bytes) -> None:
    made = c.Credential(agent, a, b, s)
    assert c.parse_token(made.token()) == made
    assert c.parse_bearer(made.bearer()) == (agent, a)


@given(st.integers(0, 158), st.characters(codec="ascii"))
def test_any_single_typing_error_is_found(position: int, character: str) -> None:
    token = CREDENTIAL.token()
    position %= len(token)
    mistyped = token[:position] + character + token[position + 1 :]
    if mistyped.strip() == token:
        return
    with pytest.raises(c.CredentialError) as caught:
        c.parse_token(mistyped)
    assert "copy the whole token" in str(caught.value)


@given(st.text(max_size=300))
def test_other_text_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(c.CredentialError):
        c.parse_token("z4j_" + text)
    with pytest.raises(c.CredentialError):
        c.parse_bearer(text)


def test_the_last_character_of_a_token_has_one_spelling_only() -> None:
    token = CREDENTIAL.token()
    alphabet = string.ascii_letters + string.digits + "-_"
    others = [token[:-1] + end for end in alphabet if end != token[-1]]
    for other in others:
        with pytest.raises(c.CredentialError):
            c.parse_token(other)


def test_the_wire_part_holds_no_key_and_repr_holds_no_secret() -> None:
    assert len(c.parse_bearer(CREDENTIAL.bearer())[1]) == 32
    assert repr(CREDENTIAL) == f"Credential(agent_id={AGENT})"


def test_keys_of_one_token_say_nothing_of_another() -> None:
    project = c.project_secret(b"m" * 32, PROJECT)
    keys = {
        c.signing_key(project, AGENT, TOKEN),
        c.signing_key(project, AGENT, PROJECT),
        c.signing_key(project, PROJECT, TOKEN),
        c.seal_key(project),
        project,
    }
    assert len(keys) == 5


def test_hkdf_gives_the_published_vector() -> None:
    """RFC 5869, appendix A.1."""
    okm = c.hkdf(
        bytes.fromhex("0b" * 22),
        bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
        salt=bytes.fromhex("000102030405060708090a0b0c"),
        length=42,
    )
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
