from __future__ import annotations

import errno
import math
import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import (
    ConnectionClosedError,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidUpgrade,
)
from websockets.frames import Close
from websockets.http11 import Response

from z4j_agent.reasons import clean, explain, of_goodbye
from z4j_core.link import AUTHENTICATION, NETWORK, LinkError

WHERE = "z4j.example.com:443"


@pytest.mark.parametrize(
    ("code", "word", "bounds"),
    [
        (4400, "upgrade the older", AUTHENTICATION),
        (4401, "Mint a new token", AUTHENTICATION),
        (4403, "signature does not fit", AUTHENTICATION),
        (4409, "a name of its own", AUTHENTICATION),
        (4413, "too large", AUTHENTICATION),
        (4426, "upgrade the older one", AUTHENTICATION),
        (4429, "wrong tokens were sent from it", AUTHENTICATION),
        (1012, "restarts", NETWORK),
        (1013, "cannot take this link now", NETWORK),
        (4408, "Nothing was heard", NETWORK),
        (1011, "code 1011, boom", NETWORK),
    ],
)
def test_each_close_code_has_words_and_a_pace(
    code: int, word: str, bounds: tuple[float, float]
) -> None:
    reason = explain(ConnectionClosedError(Close(code, "boom"), None), WHERE)
    assert word in reason.text
    assert reason.bounds == bounds


def test_a_cut_without_a_close_frame() -> None:
    assert explain(ConnectionClosedError(None, None), WHERE).code == "cut"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENETUNREACH, "x"), "no route"),
        (OSError(errno.EMFILE, "x"), "EMFILE"),
        (ConnectionResetError(), "was cut"),
        (TimeoutError(), "firewalls"),
        (ssl.SSLError(1, "x"), "TLS with"),
        (UnicodeError("label too long"), "no valid server name"),
        (InvalidUpgrade("Upgrade", "x"), "WebSocket upgrades"),
        (InvalidProxyStatus(Response(407, "x", Headers())), "HTTPS_PROXY"),
        (ZeroDivisionError("secret"), "Unexpected ZeroDivisionError"),
    ],
)
def test_each_error_says_what_to_do(error: Exception, word: str) -> None:
    reason = explain(error, WHERE)
    assert word in reason.text
    assert "secret" not in reason.text


def test_words_of_the_server_are_kept_short_and_on_one_line() -> None:
    reason = explain(LinkError("x" * 5000, "a\nb\x1b[31m" + "y" * 100_000), WHERE)
    assert len(reason.code) <= 40
    assert len(reason.text) <= 400
    assert reason.text.isprintable()
    assert clean("a\r\nb\x00") == "a  b "


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        (" 600 ", 600.0),
        ("601", None),
        ("0", None),
        ("-1", None),
        ("1e3", None),
        ("9" * 5_000, None),
        ("1_0", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
    ],
)
def test_a_limited_address_waits_as_the_server_says(text: str, seconds: float | None) -> None:
    refused = InvalidStatus(Response(429, "x", Headers({"Retry-After": text})))
    reason = explain(refused, WHERE)
    assert (reason.code, reason.bounds) == ("limited", AUTHENTICATION)
    assert reason.retry_after_s == seconds
    assert "Z4J_TOKEN" in reason.text


@pytest.mark.parametrize(("status", "name"), [(429, "Retry-After"), (302, "Location")])
def test_a_header_that_comes_twice_breaks_nothing(status: int, name: str) -> None:
    headers = Headers([(name, "30"), (name, "40")])
    assert explain(InvalidStatus(Response(status, "x", headers)), WHERE).text


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (5.0, 5.0),
        (1e-9, 0.5),
        (0.0, None),
        (-3.0, None),
        (1e9, None),
        (math.inf, None),
        (math.nan, None),
    ],
)
def test_a_wish_to_wait_is_kept_within_bounds(wish: float, expected: float | None) -> None:
    assert of_goodbye("shutdown", "", wish).retry_after_s == expected
