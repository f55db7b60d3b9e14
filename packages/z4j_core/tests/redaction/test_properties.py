"""Properties over arbitrary values and texts."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from z4j_core.redaction import MASK, RedactionError, Redactor
from z4j_core.redaction.keys import KeyJudge
from z4j_core.redaction.limits import Limits
from z4j_core.redaction.plain import MAX_BYTES, is_plain
from z4j_core.redaction.scanner import TextScanner
from z4j_core.redaction.walk import Walk

REDACTOR = Redactor()
SMALL = Redactor(max_depth=3, max_items=4, max_string=80, max_bytes=400)

PIECES = st.sampled_from(
    [
        "password", "token", "api_key", "x", "secret", "Authorization", "Cookie", "name", "'",
        '"', "\\", "=", ": ", ":", "[", "]", "{", "}", "(", ")", ",", ", ", ";", "&", " ", "\n",
        "--", "://", "@", "<", "</", ">", "hunter2", "Bearer ", "eyJhbGciOiJ9", ".",
        "ghp_a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", "4111111111111111", MASK, "[redac", "…",
        " … [cut, 3 characters]", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
        "None", "str", "b'", '"""', "%3D", "|", "http", "\udc80", "ü", "0", "\\n",
        "AKIAA1A1A1A1A1A1A1A1", "!", "$",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=24).map("".join))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.binary(), st.datetimes(),
    st.decimals(), st.just(object()), st.complex_numbers(), st.uuids(),
)  # fmt: skip
KEYS = st.one_of(
    TEXTS, st.sampled_from(["password", "name", "value", "key", "tokens", "pass"]), st.integers()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=6),
        st.frozensets(st.integers() | st.text(), max_size=4),
    ),
    max_leaves=20,
)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXTS.filter(str.isascii),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(TEXTS.filter(str.isascii), inner, max_size=5),
    ),
    max_leaves=20,
)  # fmt: skip


FLAT = st.one_of(
    st.lists(st.none() | st.booleans() | st.integers() | st.text() | TEXTS, max_size=10),
    st.dictionaries(
        KEYS | st.sampled_from(["a", "b", "c"]), st.none() | st.integers() | TEXTS, max_size=10
    ),
)


@given(FLAT | VALUES)
@settings(max_examples=400)
def test_the_short_road_ends_where_the_walk_does(value: Any) -> None:
    keys, limits = KeyJudge(), Limits(8, 200, 4096, 32_768)
    for key in ("a", "b", "c", "name"):
        keys.keep_clean(key)
    if is_plain(value, keys.clean):
        walked = Walk(keys, TextScanner(keys), limits).value(value)
        assert walked is value
        assert len(msgspec.json.encode(value)) <= MAX_BYTES


@settings(max_examples=400)
@given(VALUES)
def test_value_is_json_safe_bounded_and_idempotent(value: Any) -> None:
    for redactor, bound in ((REDACTOR, 32_768), (SMALL, 400)):
        result = redactor.value(value)
        assert result != "[unreadable]"
        encoded = msgspec.json.encode(result)
        assert len(encoded) <= bound
        assert redactor.value(result) == result
        assert redactor.exactly(msgspec.json.decode(encoded)) == (result, True)


@settings(max_examples=400)
@given(TEXTS)
def test_text_is_bounded_and_idempotent(text: str) -> None:
    for redactor, bound in ((REDACTOR, 32_768), (SMALL, 400)):
        result = redactor.text(text)
        assert len(result.encode()) <= bound
        assert redactor.text(result) == result


@settings(max_examples=200)
@given(VALUES)
def test_exact_means_that_json_gives_it_back(value: Any) -> None:
    result, exact = REDACTOR.exactly(value)
    assert exact is (result is value)
    if exact:
        assert msgspec.json.decode(msgspec.json.encode(result)) == value


@settings(max_examples=200)
@given(JSON)
def test_json_agrees_with_value(value: Any) -> None:
    payload = msgspec.json.encode(value)
    decoded = msgspec.json.decode(payload)
    redacted = REDACTOR.json(payload)
    assert msgspec.json.decode(redacted) == REDACTOR.value(decoded)
    assert REDACTOR.json(redacted) is redacted


@settings(max_examples=200)
@given(st.binary())
def test_json_refuses_or_returns_json(payload: bytes) -> None:
    try:
        redacted = REDACTOR.json(payload)
    except RedactionError:
        return
    msgspec.json.decode(redacted)


# No quote, bracket or backslash: inside quotes those may end the value.
WORDS = st.text("abcdefghijkmnopqrstuvwxyz0123456789!#$%^*+~.", min_size=6, max_size=40).map(
    "Zq{}".format
)


@settings(max_examples=300)
@given(WORDS, st.sampled_from(["password", "API-Key", "clientSecret", "refresh_token"]), TEXTS)
def test_planted_value_never_survives(secret: str, key: str, noise: str) -> None:
    value = {
        "a": [{key: secret}, f"{key}={secret}", f"{{'{key}': '{secret}'}}", f"{key}: {secret}"],
        "n": noise,
    }
    assert secret not in msgspec.json.encode(REDACTOR.value(value)).decode()
    assert secret not in REDACTOR.text(f"{noise}\n{key}={secret}\n{noise}")


def test_dates_and_decimals_are_read_as_written() -> None:
    assert REDACTOR.value([datetime.date(2024, 1, 2), decimal.Decimal("0.10")]) == [
        "2024-01-02",
        "0.10",
    ]
