"""`Z4J_SECOND_FACTOR_REQUIRED`: who has no second step sets one up and does nothing else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from z4j_brain import clock
from z4j_brain.api.table import all_routes
from z4j_brain.auth.totp import code_at, step_at

PASSWORD = "correct horse battery staple"
ALLOWED = {
    "sign_out",
    "read_second_factor",
    "begin_second_factor",
    "confirm_second_factor",
    "list_passkeys",
    "begin_passkey",
    "add_passkey",
}


def enrol(browser: Any) -> None:
    begun = browser.post("/account/second-factor", {"password": PASSWORD})
    secret = base64.b32decode(begun.json()["secret"])
    code = code_at(secret, step_at(clock.now()))
    assert browser.post("/account/second-factor/confirm", {"code": code}).status_code == 200


def is_held_up(browser: Any) -> bool:
    answer = browser.get("/projects/shop/agents")
    owed = browser.get("/session").json()["second_factor_owed"]
    if answer.status_code == 200:
        assert not owed
        return False
    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "/problems/second-factor-required",
    )
    assert owed
    return True


def test_nothing_else_can_be_done_before(start: Any) -> None:
    with start(second_factor_required="all") as running:
        ada = running.set_up()
        assert is_held_up(ada)
        session = ada.get("/session").json()
        assert (session["user"]["name"], session["projects"]) == ("Ada", [])
        for one in all_routes():
            path = one.path.format(project="shop", **dict.fromkeys(one.path_types, 7))
            answer = ada.http.request(one.method, path)
            is_refused = answer.status_code == 403 and "second-factor-required" in answer.text
            is_free = one.permission == "public" or one.name in ALLOWED
            assert is_refused is not is_free, one.name
            if one.name == "sign_out":
                ada.sign_in()
        enrol(ada)
        assert not is_held_up(ada)


def test_a_live_feed_is_closed_before(start: Any) -> None:
    with start(second_factor_required="all") as running:
        ada = running.set_up()
        cookie = f"z4j_session={ada.http.cookies['z4j_session']}"
        address = running.url.replace("http", "ws", 1) + "/ws/dashboard"
        with (
            connect(address, origin=running.url, additional_headers={"Cookie": cookie}) as socket,
            pytest.raises(ConnectionClosed) as closed,
        ):
            socket.recv(timeout=60)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_it_may_be_for_admins_only(start: Any) -> None:
    with start(second_factor_required="admins") as running:
        ada = running.set_up()
        assert is_held_up(ada)
        assert not is_held_up(running.member("operator"))
        boss = running.member("admin", "boss@example.org")
        assert is_held_up(boss), "an admin of one project"
        enrol(boss)
        assert not is_held_up(boss)
        answer = boss.post("/account/second-factor/off", {"password": PASSWORD})
        assert answer.status_code == 204
        assert is_held_up(boss), "at once"


def test_a_key_that_was_made_before_goes_on(start: Any) -> None:
    with start() as running:
        ada = running.set_up()
        form = {"name": "nightly", "project": "shop", "scopes": ["agent.read"]}
        key = ada.post("/keys", form).json()["key"]
    with start(second_factor_required="all") as running:
        by_key = running.browser({"Authorization": f"Bearer {key}"})
        assert by_key.get("/projects/shop/agents").status_code == 200
