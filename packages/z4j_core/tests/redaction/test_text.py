"""Messages and tracebacks: what remains is exactly what should."""

from __future__ import annotations

import traceback

import pytest

from z4j_core.redaction import MASK, Redactor

REDACTOR = Redactor()

CASES = [
    ("password=hunter2 user=bob", "password=* user=bob"),
    ("password: hunter2, user: bob", "password: *, user: bob"),
    ("{'user': 'bob', 'password': 'x y', 'n': 1}", "{'user': 'bob', 'password': '*', 'n': 1}"),
    ('{"user":"bob","apiKey":"x\\"y","n":1}', '{"user":"bob","apiKey":"*","n":1}'),
    (r"{\"token\": \"a b\", \"n\": 1}", r"{\"token\": \"*\", \"n\": 1}"),
    ("login(password='x', user='bob')", "login(password='*', user='bob')"),
    ("https://x.example/?token=abc&page=2", "https://x.example/?token=*&page=2"),
    ("postgresql://u:p@db:5432/app", "postgresql://*@db:5432/app"),
    ("tool --password hunter2 --verbose", "tool --password * --verbose"),
    ("Authorization: Bearer a b c\r\nHost: x", "Authorization: *\r\nHost: x"),
    ("curl -H 'Authorization: Bearer a' -v", "curl -H 'Authorization: *' -v"),
    ("secrets={'a': ['b', {'c': 'd'}]} n=1", "secrets=* n=1"),
    ("<password>a b</password><n>1</n>", "<password>*</password><n>1</n>"),
    ("paid with 4111 1111 1111 1111 today", "paid with * today"),
    ("Pwd=abc;Database=x", "Pwd=*;Database=x"),
    ("token: None, pin: null, tokens: 12", "token: None, pin: null, tokens: 12"),
    ("password = settings.DB_PASSWORD\nn = 1", "password = *\nn = 1"),
    ("password='it''s me' n=1", "password='*' n=1"),
    ("password='a'b n=1", "password=* n=1"),
    ("password=''abc'' n=1", "password=*'' n=1"),
    ("{'password':'a',123:'b'}", "{'password':'*',123:'b'}"),
    ("(password=abc)", "(password=*)"),
    ("[password=abc, n=1]", "[password=*, n=1]"),
    ("password=\nn=1", "password=\nn=1"),
    ("password:", "password:"),
    ("password=''", "password=''"),
    ('token="abc', 'token="*'),
    ("token=[redacted]", "token=*"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_only_the_secret_goes(text: str, expected: str) -> None:
    assert REDACTOR.text(text) == expected.replace("*", MASK)


def test_traceback_keeps_its_frames_and_loses_its_secrets() -> None:
    def connect(dsn: str, password: str) -> None:
        raise ConnectionError(f"cannot log in to {dsn} with {password=}")

    try:
        connect("amqp://worker:swordfish@mq/", password="open sesame")
    except ConnectionError:
        text = traceback.format_exc()
    redacted = REDACTOR.text(text)
    assert "swordfish" not in redacted
    assert "sesame" not in redacted
    assert f"ConnectionError: cannot log in to amqp://{MASK}@mq/ with password='{MASK}'" in redacted
    assert redacted.count("File ") == text.count("File ") == 2
    assert "in connect\n" in redacted


def test_long_text_is_cut_in_bytes() -> None:
    for char in ("x", "ü", "🙂"):
        redacted = REDACTOR.text(char * 100_000)
        assert len(redacted.encode()) <= 32_768
        assert redacted.endswith("characters]")
        assert REDACTOR.text(redacted) == redacted


def test_lone_surrogates_become_encodable() -> None:
    assert REDACTOR.text("a\udc80b") == "a\\udc80b"
