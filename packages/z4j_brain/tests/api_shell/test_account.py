"""One's own account: the password, and where one is signed in."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from z4j_brain import clock
from z4j_brain.auth import back_off, sign_in
from z4j_brain.auth.browser import HOUR_US
from z4j_brain.store.schema import audit, sessions, sign_in_failures, users
from z4j_brain.store.types import new_id

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
NEW = "tulip anvil quarry mist"


def _change(browser: Any, current: str = PASSWORD, new: str = NEW) -> Any:
    return browser.post("/account/password", {"current_password": current, "new_password": new})


def test_a_new_password_signs_out_everywhere_else(running: Any, ada: Any) -> None:
    elsewhere, former = running.browser(), ada.http.cookies["z4j_session"]
    elsewhere.sign_in()
    bob = running.member("viewer")
    ada.enter(_change(ada))
    assert ada.http.cookies["z4j_session"] != former
    assert ada.get("/account/sessions").json()["items"][0]["is_current"]
    assert ada.post("/projects/shop/agents", {"name": "a"}).status_code == 201, "its CSRF token"
    assert elsewhere.get("/account/sessions").status_code == 401
    stolen = running.browser()
    stolen.http.cookies.set("z4j_session", former)
    assert stolen.get("/account/sessions").status_code == 401
    assert bob.get("/account/sessions").status_code == 200, "somebody else stays"
    form = {"email": EMAIL, "password": PASSWORD}
    assert running.browser().post("/sign-in", form).status_code == 401
    running.browser().sign_in(password=NEW)


def test_the_present_password_is_needed(running: Any, ada: Any) -> None:
    answer = _change(ada, current="wrong horse battery staple")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/current_password", "detail": "This is not your password."}
    ]
    for _ in range(back_off.ALONE.free - 1):
        assert _change(ada, current="").status_code == 422
    slowed = _change(ada)
    assert slowed.status_code == 429, "a stolen session cannot guess for long"
    assert int(slowed.headers["retry-after"]) >= 1
    running.browser().sign_in()
    chosen = select(audit.c.object_name, audit.c.after).where(audit.c.action == "password.refused")
    with running.database.read() as connection:
        told = connection.execute(chosen).all()
    assert told == [(EMAIL, None)] * back_off.ALONE.free
    with running.database.write() as connection:
        connection.execute(update(sign_in_failures).values(last_at=clock.now() - 2_000_000))
    running.brain.limits.waits.forget()
    ada.enter(_change(ada))


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("short", "Use at least 15 characters. A few unrelated words do well."),
        ("passwordpassword", "This is easily guessed"),
        ("x" * 1_025, "Use at most 1,024 characters."),
        (7, "This must be text, not a whole number."),
    ],
)
def test_a_bad_new_password_is_explained(running: Any, ada: Any, new: Any, why: str) -> None:
    answer = _change(ada, new=new)
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["pointer"] == "/new_password"
    assert error["detail"].startswith(why)
    running.browser().sign_in()


def test_the_setup_form_explains_itself(running: Any) -> None:
    form = {"token": running.setup_token(), "email": "x", "name": "", "project_name": "Shop"}
    browser = running.browser()
    for changes, pointer, why in [
        ({"password": PASSWORD}, "/email", "Give an e-mail address such as ada@example.org."),
        ({"email": EMAIL, "password": PASSWORD}, "/name", "Fill this in."),
        ({"email": EMAIL, "name": "Ada"}, "/password", "Fill this in."),
        ({"email": EMAIL, "name": "Ada", "password": "x"}, "/password", "Use at least 15"),
        ({"email": EMAIL, "name": "A\nB", "password": "x"}, "/name", "Write one line of text."),
    ]:
        answer = browser.post("/setup", form | changes)
        assert answer.status_code == 422
        error = answer.json()["errors"][0]
        assert (error["pointer"], error["detail"][: len(why)]) == (pointer, why)


def test_a_sign_in_that_overlaps_a_change_is_refused(
    running: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is right when it is checked, and no longer when the session would open."""
    original = sign_in.users.find_account

    def change_after(connection: Any, email: str) -> Any:
        found = original(connection, email)
        with running.database.write() as other:
            other.execute(update(users).values(password_hash=running.brain.passwords.hash(NEW)))
        return found

    monkeypatch.setattr(sign_in.users, "find_account", change_after)
    answer = running.browser().post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 401


def test_sessions_are_listed_and_ended_one_by_one(running: Any, ada: Any) -> None:
    phone = running.browser({"User-Agent": "Phone"})
    phone.sign_in()
    running.member("viewer")
    items = ada.get("/account/sessions").json()["items"]
    assert [item["is_current"] for item in items].count(True) == 1
    other = next(item for item in items if not item["is_current"])
    assert (len(items), other["user_agent"], other["address"]) == (2, "Phone", "127.0.0.1")
    assert ada.delete(f"/account/sessions/{other['id']}").status_code == 204
    assert phone.get("/account/sessions").status_code == 401
    assert phone.post("/projects/shop/agents", {"name": "a"}).status_code == 401
    assert ada.delete(f"/account/sessions/{other['id']}").status_code == 404
    mine = ada.get("/account/sessions").json()["items"][0]
    answer = ada.delete(f"/account/sessions/{mine['id']}")
    assert 'z4j_session=""' in answer.headers["set-cookie"]
    assert ada.get("/session").json()["user"] is None


def test_nobody_ends_a_session_of_somebody_else(running: Any, ada: Any) -> None:
    bob = running.member("admin")
    of_ada = ada.get("/account/sessions").json()["items"][0]["id"]
    assert bob.delete(f"/account/sessions/{of_ada}").status_code == 404
    assert bob.delete(f"/account/sessions/{uuid.uuid4()}").status_code == 404
    assert bob.delete("/account/sessions").json() == {"ended": 0}
    assert ada.get("/account/sessions").status_code == 200


def test_all_others_are_ended_at_once(running: Any, ada: Any) -> None:
    others = [running.browser() for _ in range(3)]
    for other in others:
        other.sign_in()
    assert ada.delete("/account/sessions").json() == {"ended": 3}
    assert [other.get("/account/sessions").status_code for other in others] == [401] * 3
    assert len(ada.get("/account/sessions").json()["items"]) == 1


def test_ended_sessions_are_not_listed_and_their_number_is_bounded(running: Any, ada: Any) -> None:
    now = clock.now()
    with running.database.write() as connection:
        owner = connection.execute(select(users.c.id)).scalar_one()
        row = {"user_id": owner, "created_at": now - HOUR_US, "address": None, "user_agent": None}
        connection.execute(
            insert(sessions),
            [
                row
                | {
                    "id": new_id(),
                    "token_hash": bytes([n]) * 32,
                    "seen_at": now - HOUR_US + n,
                    "expires_at": now + (HOUR_US if n else -1),
                }
                for n in range(sign_in.MOST_SESSIONS + 5)
            ],
        )
    running.browser().sign_in()
    listed = ada.get("/account/sessions").json()["items"]
    assert len(listed) == sign_in.MOST_SESSIONS
    assert listed[0]["is_current"] or listed[1]["is_current"], "the least used make room"


def test_attackers_do_not_keep_the_owner_out(running: Any, ada: Any) -> None:
    """Strangers fail from many addresses; trusted as proxy, the test says which."""
    wrong = {"email": EMAIL, "password": "wrong horse battery staple"}
    right = wrong | {"password": PASSWORD}
    strangers = running.browser()
    n = 0
    while (
        strangers.post(
            "/sign-in", wrong, headers={"X-Forwarded-For": f"198.51.100.{n // 3}"}
        ).status_code
        != 429
    ):
        n += 1
    elsewhere = running.browser({"X-Forwarded-For": "192.0.2.9"})
    assert elsewhere.post("/sign-in", right).status_code == 200
    beside = {"X-Forwarded-For": "198.51.100.0"}
    assert strangers.post("/sign-in", right, headers=beside).status_code == 429
    ada.post("/sign-out")
    assert ada.post("/sign-in", right, headers=beside).status_code == 200, "a known browser"
