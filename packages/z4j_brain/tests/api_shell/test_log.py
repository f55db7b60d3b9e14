"""What the log holds of a request: its id, and none of its secrets."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from z4j_brain.api.context import Call
from z4j_brain.api.route import PUBLIC, route
from z4j_brain.api.table import all_routes
from z4j_brain.keys import Keys
from z4j_brain.logging import JsonFormatter, TextFormatter, request_id

TOKEN = "a-token-for-prometheus"
KEYS = Keys(b"m" * 40, b"s" * 40)
"""Those of the server in `conftest.py`."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def _entries(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_failure_is_found_by_the_id_of_its_request(start: Any, log: io.StringIO) -> None:
    @route("GET", "/broken", permission=PUBLIC)
    async def broken(call: Call) -> None:
        """Fail."""
        raise RuntimeError("two\nlines")

    with start(routes=[*all_routes(), broken], metrics_token=TOKEN) as running:
        secret = {"Authorization": f"Bearer {TOKEN}", "Cookie": "z4j_session=hush"}
        answer = httpx.get(running.url + "/api/v1/broken?token=hush", headers=secret)
        httpx.get(running.url + "/metrics", headers=secret)
        httpx.get(running.url + "/sign-in/once?token=hush")
    assert answer.status_code == 500
    [entry] = [one for one in _entries(log) if one["logger"] == "z4j.api"]
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    assert (entry["level"], entry["message"]) == ("error", "GET /api/v1/broken failed")
    assert entry["at"].endswith("Z")
    assert "RuntimeError: two" in entry["exception"]
    ours = [one for one in _entries(log) if one["logger"].startswith(("z4j", "hypercorn"))]
    assert TOKEN not in json.dumps(ours)
    assert "hush" not in json.dumps(ours)


def test_every_request_has_an_id_of_its_own(running: Any) -> None:
    answers = [httpx.get(running.url + path) for path in ("/healthz", "/", "/api/v1/session")]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == 3
    assert all(len(own) == 16 for own in ids)


def test_an_id_that_is_not_well_formed_is_not_taken(running: Any) -> None:
    for given in ["", "x" * 65, "a b", 'a"b', "a;b"]:
        answer = httpx.get(running.url + "/healthz", headers={"X-Request-ID": given})
        assert len(answer.headers["X-Request-ID"]) == 16, given


def test_the_id_of_a_proxy_counts_and_that_of_a_stranger_does_not(start: Any) -> None:
    given = {"X-Request-ID": "from.the-proxy_1"}
    with start() as running:
        answer = httpx.get(running.url + "/healthz", headers=given)
        assert answer.headers["X-Request-ID"] == "from.the-proxy_1"
    with start(trusted_proxies="10.0.0.1") as running:
        answer = httpx.get(running.url + "/healthz", headers=given)
        assert len(answer.headers["X-Request-ID"]) == 16


def test_text_has_the_id_too() -> None:
    record = logging.LogRecord("z4j.api", logging.INFO, "", 1, "a\nb", (), None)
    assert TextFormatter().format(record).endswith("INFO z4j.api: a\\nb")
    before = request_id.set("abc")
    assert TextFormatter().format(record).endswith("INFO z4j.api: a\\nb [request abc]")
    request_id.reset(before)
    assert "request_id" not in json.loads(JsonFormatter().format(record))


def test_nothing_in_a_message_can_pretend_to_be_a_record() -> None:
    """Not even by what looks like the beginning of a traceback, nor in an exception's text."""
    forged = "x\nTraceback\n2026-01-01T00:00:00.000Z INFO z4j: all is well\r\nTraceback\ny"
    try:
        raise ValueError(forged)
    except ValueError:
        failed = sys.exc_info()
    for error in (None, failed):
        record = logging.LogRecord("z4j.link", logging.INFO, "", 1, "%s", (forged,), error)
        first, *more = TextFormatter().format(record).splitlines()
        assert first.endswith("Traceback\\ny")
        assert more[:1] in ([], ["Traceback (most recent call last):"])
        assert all(line.startswith("  ") for line in more[1:])


def test_a_statement_that_fails_is_logged_without_its_values(
    running: Any, log: io.StringIO
) -> None:
    ada = running.set_up()
    hashed = KEYS.session_hash(str(ada.http.cookies["z4j_session"]))
    with running.database.write() as connection:
        connection.execute(text("ALTER TABLE sessions RENAME TO away"))
    assert ada.get("/session").status_code in (500, 503)
    [entry] = [one for one in _entries(log) if "exception" in one]
    assert "FROM sessions" in entry["exception"]
    assert "parameters hidden" in entry["exception"]
    assert repr(hashed)[2:-1] not in entry["exception"]
