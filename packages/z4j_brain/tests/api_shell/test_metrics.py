"""Who may read `/metrics`, and what it says while the database is away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from services.fixtures import migrated

TOKEN = "a-token-for-prometheus"


def _get(running: Any, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": authorization}
    return httpx.get(running.url + "/metrics", headers=headers)


def _values(running: Any) -> dict[tuple[str, str], float]:
    answer = _get(running, f"Bearer {TOKEN}")
    assert answer.status_code == 200
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_without_a_token_there_is_no_such_page(running: Any) -> None:
    for authorization in (None, "Bearer", f"Bearer {TOKEN}"):
        answer = _get(running, authorization)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/not-found"


WRONG = [
    None,
    "",
    "Bearer",
    TOKEN,
    f"Basic {TOKEN}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN.upper()}",
    "Bearer " + "x" * 4_000,
]


def test_only_the_token_opens_it(start: Any) -> None:
    with start(metrics_token=TOKEN) as running:
        for authorization in WRONG:
            answer = _get(running, authorization)
            assert answer.status_code == 401, authorization
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["type"] == "/problems/metrics-token-wrong"
            assert TOKEN not in answer.text
        assert _get(running, f"Bearer {TOKEN}").status_code == 200


def test_bytes_beyond_ascii_are_just_wrong(start: Any) -> None:
    with start(metrics_token=TOKEN) as running:
        headers = [(b"Authorization", b"Bearer \xff\xfe\xe9")]
        assert httpx.get(running.url + "/metrics", headers=headers).status_code == 401


def test_it_is_read_as_prometheus_does(start: Any) -> None:
    with start(metrics_token=TOKEN, root_path="/z4j", allowed_hosts="z4j.example") as running:
        answer = _get(running, f"bearer {TOKEN}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert answer.headers["Cache-Control"] == "no-store"


def test_requests_are_measured_by_area_and_status(start: Any) -> None:
    with start(metrics_token=TOKEN) as running:
        browser = running.browser()
        for _ in range(3):
            browser.get("/session")
        browser.get("/no/such/thing")
        httpx.get(running.url + "/healthz")
        for page in ("/a", "/b"):
            httpx.get(running.url + page)
        _get(running, None)
        values = _values(running)
    counted = {
        labels: value
        for (name, labels), value in values.items()
        if name == "z4j_http_request_seconds_count"
    }
    pages = {labels: n for labels, n in counted.items() if labels.startswith("page,")}
    assert counted == pages | {"api,2xx": 3, "api,4xx": 1, "health,2xx": 1, "metrics,4xx": 1}
    assert sum(pages.values()) == 2
    assert values["z4j_http_request_seconds_bucket", "api,+Inf,2xx"] == 3


def test_nothing_is_registered_globally(start: Any) -> None:
    with start(metrics_token=TOKEN) as running:
        assert ("z4j_ready", "ingest") in _values(running)
        assert [f.name for f in REGISTRY.collect() if f.name.startswith("z4j")] == []


@pytest.mark.parametrize("record_url", [""])
def test_while_the_database_is_away_the_rest_is_told(own_postgres: Any, start: Any) -> None:
    with start(
        database_url=migrated(own_postgres.create_database()), metrics_token=TOKEN
    ) as running:
        before = _values(running)
        assert before["z4j_ready", "database"] == before["z4j_ready", "migrations"] == 1
        assert before["z4j_workers_online", ""] == 0
        own_postgres.stop()
        values = _values(running)
        assert values["z4j_ready", "database"] == values["z4j_ready", "migrations"] == 0
        assert values["z4j_ready", "ingest"] == 1
        assert ("z4j_workers_online", "") not in values
        own_postgres.start()
        assert _values(running)["z4j_ready", "database"] == 1
