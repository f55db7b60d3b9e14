"""Authenticator codes against the vectors of RFC 6238, and their secrets at rest."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from z4j_brain.auth import recovery_codes
from z4j_brain.auth.totp import code_at, step_at, step_of, uri, written
from z4j_brain.auth.totp_secrets import SecretLostError, seal, unseal
from z4j_brain.keys import Keys

SECRET = b"12345678901234567890"
SECOND = 1_000_000
ADA, EVE = uuid.UUID(int=1), uuid.UUID(int=2)
KEYS = Keys(b"m" * 32, b"s" * 32)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, SHA-1."""
    assert code_at(SECRET, step_at(seconds * SECOND), digits=8) == code


def test_a_code_may_be_one_step_off_and_is_used_once() -> None:
    now = 1_700_000_000 * SECOND
    present = step_at(now)
    found = [step_of(SECRET, code_at(SECRET, present + n), now, 0) for n in range(-2, 3)]
    assert found == [None, present - 1, present, present + 1, None]
    assert step_of(SECRET, code_at(SECRET, present), now, present) is None
    assert step_of(SECRET, code_at(SECRET, present - 1), now, present) is None, "nor an older one"
    assert step_of(SECRET, code_at(SECRET, present + 1), now, present) == present + 1


@pytest.mark.parametrize("code", ["", "1", "abcdef", "١٢٣٤٥٦", "0" * 5_000, "-00001", "\ud800"])
def test_nonsense_is_no_code(code: str) -> None:
    assert step_of(SECRET, code, 1_700_000_000 * SECOND, 0) is None


def test_the_uri_says_what_an_app_needs() -> None:
    parts = urlsplit(uri(SECRET, "ada+x@example.org", "z4j"))
    assert (parts.scheme, parts.netloc, parts.path) == (
        "otpauth",
        "totp",
        "/z4j:ada%2Bx%40example.org",
    )
    assert parse_qs(parts.query) == {"secret": [written(SECRET)], "issuer": ["z4j"]}
    assert written(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def test_a_stored_secret_opens_for_its_owner_under_its_key_only() -> None:
    stored = seal(KEYS, ADA, SECRET)
    assert unseal(KEYS, ADA, stored) == SECRET
    assert SECRET not in stored
    assert seal(KEYS, ADA, SECRET) != stored
    changed = bytes([stored[0] ^ 1]) + stored[1:]
    for keys, owner, text in [
        (KEYS, EVE, stored),
        (Keys(b"n" * 32, b"s" * 32), ADA, stored),
        (KEYS, ADA, changed),
        (KEYS, ADA, stored[:5]),
        (KEYS, ADA, b""),
    ]:
        with pytest.raises(SecretLostError):
            unseal(keys, owner, text)


def test_recovery_codes_are_long_and_forgiving() -> None:
    made = recovery_codes.make()
    assert len(set(made)) == recovery_codes.COUNT == 10
    code = made[0]
    assert len(code.replace("-", "")) * 5 >= 112, "bits"
    stored = recovery_codes.hash_of(ADA, code)
    assert stored is not None
    for typed in (code.lower(), code.replace("-", " "), f" {code} "):
        assert recovery_codes.hash_of(ADA, typed) == stored
    assert recovery_codes.hash_of(EVE, code) != stored
    for nonsense in ("", "123456", code[:-1], code + "A", "é" * 24):
        assert recovery_codes.hash_of(ADA, nonsense) is None
