"""Encoded JSON."""

from __future__ import annotations

import pytest

from z4j_core.redaction import RedactionError, Redactor

REDACTOR = Redactor()


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"null",
        b'{"a":[1,2.5,"x"],"password":null}',
        b' { "a" : "\\u00fc" }\n',
        b'"x"',
        b"1e2",
    ],
)
def test_clean_payload_is_returned_itself(payload: bytes) -> None:
    assert REDACTOR.json(payload) is payload


def test_secrets_are_masked() -> None:
    assert (
        REDACTOR.json(b'{"user": "bob", "password": "x", "note": "token=abc1"}')
        == b'{"user":"bob","password":"[redacted]","note":"token=[redacted]"}'
    )


def test_escapes_do_not_hide_a_key() -> None:
    assert REDACTOR.json(b'{"\\u0070assword":"x"}') == b'{"password":"[redacted]"}'


@pytest.mark.parametrize(
    "payload",
    [
        b'{"password":"hunter2","password":null}',
        b'{"a":"token=hunter2","a":1}',
        b'[{"b":{"a":"AKIAIOSFODNN7EXAMPLE","a":1}}]',
    ],
)
def test_repeated_keys_hide_nothing(payload: bytes) -> None:
    redacted = REDACTOR.json(payload)
    assert b"hunter2" not in redacted
    assert b"AKIA" not in redacted


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not valid JSON"),
        (b'{"password":"hunter2"', "not valid JSON"),
        (b"{'password': 'hunter2'}", "not valid JSON"),
        (b'"\xff"', "not valid JSON"),
        (b'"\\ud800"', "not valid JSON"),
        (b"NaN", "not valid JSON"),
        (b"1e999", "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"[" * 30_000, "nested too deep"),
        (b'{"a":' * 6_000, "nested too deep"),
        (b'"' + b"x" * 32_768 + b'"', "32770 bytes; send at most 32768"),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_bad_payload_is_refused_without_quoting_it(payload: bytes, reason: str) -> None:
    with pytest.raises(RedactionError, match=reason) as refusal:
        REDACTOR.json(payload)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    assert isinstance(refusal.value, ValueError)


def test_nesting_that_decodes_is_marked() -> None:
    assert REDACTOR.json(b"[" * 9 + b"]" * 9) == b"[" * 8 + b'"[too deep]"' + b"]" * 8


def test_large_payload_keeps_its_clean_parts() -> None:
    payload = b'{"a":[' + b",".join(b'"%d"' % number for number in range(190)) + b'],"pin":"1"}'
    assert REDACTOR.json(payload) == payload.replace(b'"pin":"1"', b'"pin":"[redacted]"')
