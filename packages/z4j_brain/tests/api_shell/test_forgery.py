"""Requests that another site makes a browser send: Origin and CSRF token."""

from __future__ import annotations

from typing import Any

from z4j_brain.api.route import PUBLIC, SAFE
from z4j_brain.api.table import all_routes

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
AGENTS = "/projects/shop/agents"


FOREIGN = [
    "null",
    "https://evil.example",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost.evil.example",
    "//",
    "http://[",
    "http://127.0.0.1:99999",
]


def test_a_foreign_origin_is_refused_everywhere(running: Any, ada: Any) -> None:
    own = ada.http.headers.pop("Origin")
    foreign = [*FOREIGN, own.replace("http:", "https:"), own + "/x", own.upper() + ".example"]
    for headers in [{}, *({"Origin": origin} for origin in foreign)]:
        for path, body in [
            (AGENTS, {"name": "a"}),
            ("/sign-in", {"email": EMAIL, "password": PASSWORD}),
            ("/sign-out", None),
        ]:
            answer = ada.post(path, body, headers=headers)
            assert answer.status_code == 403, headers
            assert answer.json()["type"] == "/problems/origin-refused"
    assert ada.get(AGENTS).json()["items"] == []


def test_a_missing_or_wrong_token_is_refused(running: Any, ada: Any) -> None:
    own = ada.http.headers.pop("X-CSRF-Token")
    wrong: list[Any] = ["", "wrong", "0" * 64, "ü".encode(), own[:-1], own.upper()]
    for headers in [{}, *({"X-CSRF-Token": token} for token in wrong)]:
        answer = ada.post(AGENTS, {"name": "a"}, headers=headers)
        assert answer.status_code == 403, headers
        assert answer.json()["type"] == "/problems/csrf-token-invalid"
    assert ada.get(AGENTS).json()["items"] == []


def test_the_token_of_another_session_is_refused(running: Any, ada: Any) -> None:
    other = running.browser()
    other.sign_in()
    ada.http.headers["X-CSRF-Token"] = other.http.headers["X-CSRF-Token"]
    assert ada.post(AGENTS, {"name": "a"}).status_code == 403


def test_the_token_in_the_url_or_body_does_not_count(running: Any, ada: Any) -> None:
    token = ada.http.headers.pop("X-CSRF-Token")
    answer = ada.post(f"{AGENTS}?csrf_token={token}", {"name": "a", "csrf_token": token})
    assert answer.status_code == 403


def test_reading_needs_neither(running: Any, ada: Any) -> None:
    del ada.http.headers["X-CSRF-Token"], ada.http.headers["Origin"]
    assert ada.get(AGENTS).status_code == 200


def test_every_route_that_changes_something_asks_for_both(running: Any, ada: Any) -> None:
    """By the table of routes, so that a new one is tried too."""
    own, token = ada.http.headers.pop("Origin"), ada.http.headers.pop("X-CSRF-Token")
    for one in (one for one in all_routes() if one.method not in SAFE):
        parts = dict.fromkeys(one.path_types, "00000000-0000-0000-0000-000000000007")
        path = one.path.format(project="shop", **parts)
        for headers, slug in (
            ({"X-CSRF-Token": token}, "origin-refused"),
            ({"X-CSRF-Token": token, "Origin": "https://evil.example"}, "origin-refused"),
            ({"X-CSRF-Token": token, "Origin": "null"}, "origin-refused"),
            ({"Origin": own}, "csrf-token-invalid"),
            ({"Origin": own, "X-CSRF-Token": "0" * 64}, "csrf-token-invalid"),
        ):
            if slug == "csrf-token-invalid" and one.permission == PUBLIC:
                continue
            answer = ada.http.request(one.method, path, json={}, headers=headers)
            assert answer.status_code == 403, (one.name, headers)
            assert answer.json()["type"] == f"/problems/{slug}", (one.name, headers)


def test_a_stolen_cookie_is_worth_nothing_after_sign_out(running: Any, ada: Any) -> None:
    thief = running.browser(dict(ada.http.headers))
    thief.http.cookies.update(ada.http.cookies)
    assert thief.get("/account/sessions").status_code == 200
    assert ada.post("/sign-out").status_code == 200
    for one in (one for one in all_routes() if one.permission != PUBLIC):
        parts = dict.fromkeys(one.path_types, "00000000-0000-0000-0000-000000000007")
        path = one.path.format(project="shop", **parts)
        answer = thief.http.request(one.method, path, json=None if one.method in SAFE else {})
        assert answer.status_code == 401, one.name
    assert thief.get("/session").json()["user"] is None
