"""429 on every way in that a wrong secret can be tried at, and none for what is right."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import httpx
import pytest

from z4j_brain.auth import rate_limits
from z4j_brain.auth.key_text import KeyText
from z4j_brain.auth.rate_limits import Limit

AGENTS = "/projects/shop/agents"
THREE = Limit("three", 3, 600_000_000, 10)
TOKEN = "x" * 43


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three wrong tokens, keys or links are free."""
    from z4j_brain.auth import api_keys, invitations, second_step, setup, sign_in

    for module in (invitations, second_step, setup, sign_in):
        monkeypatch.setattr(module, "ONE_TIME_TOKENS", THREE)
    monkeypatch.setattr(api_keys, "API_KEYS", THREE)
    assert rate_limits.ONE_TIME_TOKENS.most > THREE.most


def use(running: Any, key: str, address: str = "192.0.2.1") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
    return httpx.get(f"{running.url}/api/v1{AGENTS}", headers=headers, timeout=60, verify=False)


def wrong_key() -> str:
    return KeyText(uuid.uuid4(), secrets.token_bytes(32)).text()


def make_key(ada: Any) -> str:
    form = {"name": "ci", "scopes": ["agent.read"], "project": "shop"}
    return str(ada.post("/keys", form).json()["key"])


WAYS = {
    "setup-check": lambda b: b.get("/setup/check", token=TOKEN),
    "setup": lambda b: b.post(
        "/setup",
        {
            "token": TOKEN,
            "email": "eve@example.org",
            "name": "Eve",
            "password": "seven unrelated green tables",
            "project_name": "x",
        },
    ),
    "invitation": lambda b: b.post("/invitations/check", {"token": TOKEN}),
    "sign-up": lambda b: b.post(
        "/invitations/sign-up",
        {"token": TOKEN, "name": "Eve", "password": "seven unrelated green tables"},
    ),
    "second-step": lambda b: b.post("/sign-in/code", {"second_step": TOKEN, "code": "123456"}),
    "link": lambda b: b.http.get(f"{b.http.base_url}".split("/api/")[0] + "/sign-in/once?token=x"),
}


@pytest.mark.parametrize("way", WAYS)
def test_wrong_tokens_of_links_are_limited_by_address(running: Any, ada: Any, way: str) -> None:
    eve = running.browser({"X-Forwarded-For": "192.0.2.66"})
    answers = [WAYS[way](eve) for _ in range(THREE.most + 1)]
    statuses = [answer.status_code for answer in answers]
    assert 429 not in statuses[:-1]
    assert statuses[-1] == 429
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert int(refused.headers["retry-after"]) >= THREE.pause_s
    for other in WAYS.values():
        assert other(eve).status_code == 429, "all ways share the allowance"
    bob = running.browser({"X-Forwarded-For": "192.0.2.67"})
    assert WAYS[way](bob).status_code == statuses[0]
    lying = running.browser({"X-Forwarded-For": "198.51.100.1, 192.0.2.66"})
    assert WAYS[way](lying).status_code == 429, "only the proxy's own word counts"
    running.browser({"X-Forwarded-For": "192.0.2.66"}).sign_in()  # the password is its own way


def test_accepting_with_wrong_tokens_is_limited(running: Any, ada: Any) -> None:
    answers = [ada.post("/invitations/accept", {"token": TOKEN}) for _ in range(THREE.most + 1)]
    assert [answer.status_code for answer in answers] == [403] * THREE.most + [429]


def test_wrong_keys_are_limited_by_address_and_right_ones_are_not(running: Any, ada: Any) -> None:
    key = make_key(ada)
    answers = [use(running, wrong_key()) for _ in range(THREE.most + 1)]
    assert [answer.status_code for answer in answers] == [401] * THREE.most + [429]
    assert int(answers[-1].headers["retry-after"]) >= THREE.pause_s
    assert use(running, wrong_key()).status_code == 429
    assert use(running, key).status_code == 200, "a neighbour's mistake shuts nobody out"
    assert use(running, wrong_key(), "192.0.2.2").status_code == 401


def test_a_revoked_key_does_not_pass_at_a_limited_address(running: Any, ada: Any) -> None:
    key = make_key(ada)
    [item] = ada.get("/keys").json()["items"]
    assert ada.delete(f"/keys/{item['id']}").status_code == 204
    answers = [use(running, key) for _ in range(THREE.most + 2)]
    assert [answer.status_code for answer in answers] == [401] * THREE.most + [429] * 2


def test_requests_of_a_key_are_limited(start: Any) -> None:
    with start(key_requests_per_minute="2") as running:
        ada = running.set_up()
        key, other = make_key(ada), make_key(ada)
        answers = [use(running, key, f"192.0.2.{n}") for n in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 30
        assert use(running, other).status_code == 200
        assert ada.get(AGENTS).status_code == 200, "people in a browser are not meant"


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_two_replicas_share_the_limits(start: Any) -> None:
    with start() as one, start() as two:
        one.set_up()
        answers = [use([one, two][n % 2], wrong_key()) for n in range(THREE.most + 2)]
        assert [answer.status_code for answer in answers] == [401] * THREE.most + [429] * 2


def test_a_stranger_cannot_choose_its_address(start: Any) -> None:
    with start(trusted_proxies="192.0.2.250") as running:
        running.set_up()
        answers = [use(running, wrong_key(), f"198.51.100.{n}") for n in range(THREE.most + 1)]
        assert [answer.status_code for answer in answers] == [401] * THREE.most + [429]
