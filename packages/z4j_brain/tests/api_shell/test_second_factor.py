"""The second step of a sign-in: enrolment, codes, recovery codes, and what thieves try."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from z4j_brain import clock
from z4j_brain.auth import back_off, second_factor, second_step, sign_in
from z4j_brain.auth.totp import STEP_S, code_at, step_at
from z4j_brain.keys import Keys
from z4j_brain.store.schema import (
    audit,
    one_time_tokens,
    recovery_codes,
    sessions,
    sign_in_failures,
    totp_secrets,
)

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
TABLES = (totp_secrets, recovery_codes, one_time_tokens, sessions, sign_in_failures, audit)
STEP_US = STEP_S * 1_000_000


class Time:
    """The server's clock, which stands still."""

    def __init__(self) -> None:
        self.now = clock.now()

    def pass_by(self, micros: int = STEP_US) -> None:
        self.now += micros


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    return made


class App:
    """An authenticator app that has read the QR code."""

    def __init__(self, time: Time, uri: str) -> None:
        self.time = time
        text = parse_qs(urlsplit(uri).query)["secret"][0]
        self.secret = base64.b32decode(text)

    def code(self, offset: int = 0) -> str:
        return code_at(self.secret, step_at(self.time.now) + offset)

    def wrong(self) -> str:
        near = {self.code(n) for n in (-1, 0, 1)}
        return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


Enrolled = tuple[App, list[str]]


@pytest.fixture
def enrolled(time: Time, ada: Any) -> Enrolled:
    """Ada's app, confirmed one step ago, and her recovery codes."""
    begun = ada.post("/account/second-factor", {"password": PASSWORD})
    assert begun.status_code == 201, begun.text
    app = App(time, begun.json()["uri"])
    answer = ada.post("/account/second-factor/confirm", {"code": app.code()})
    assert answer.status_code == 200, answer.text
    time.pass_by()
    return app, answer.json()["codes"]


def first_step(browser: Any) -> str:
    """Give the password; return what the second step needs."""
    answer = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json()["user"] is None
    assert answer.json()["csrf_token"] is None
    assert "set-cookie" not in answer.headers
    token: str = answer.json()["second_step"]
    return token


def second(browser: Any, token: str, code: str, **more: Any) -> Any:
    return browser.post("/sign-in/code", {"second_step": token, "code": code}, **more)


def test_sign_in_asks_for_a_code_and_then_opens_a_session(
    running: Any, ada: Any, enrolled: Enrolled
) -> None:
    app, _ = enrolled
    browser = running.browser()
    token = first_step(browser)
    assert browser.get("/session").json()["user"] is None
    answer = second(browser, token, f" {app.code()[:3]} {app.code()[3:]}")
    assert browser.enter(answer)["user"]["email"] == EMAIL
    assert browser.post("/projects/shop/agents", {"name": "a"}).status_code == 201
    assert second(running.browser(), token, app.code(1)).status_code == 401, "the token is used up"


def test_enrolment_needs_the_password_and_a_first_code(running: Any, ada: Any, time: Time) -> None:
    assert ada.get("/account/second-factor").json() == {
        "is_on": False,
        "since": None,
        "recovery_codes_left": 0,
    }
    refused = ada.post("/account/second-factor", {"password": "wrong horse battery"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/password")
    confirm = "/account/second-factor/confirm"
    assert ada.post(confirm, {"code": "000000"}).status_code == 409, "nothing begun"
    app = App(time, ada.post("/account/second-factor", {"password": PASSWORD}).json()["uri"])
    assert ada.post(confirm, {"code": app.wrong()}).status_code == 422
    running.browser().sign_in()  # by password alone: it is not confirmed
    again = App(time, ada.post("/account/second-factor", {"password": PASSWORD}).json()["uri"])
    assert again.secret != app.secret
    if app.code() not in {again.code(n) for n in (-1, 0, 1)}:
        assert ada.post(confirm, {"code": app.code()}).status_code == 422, "the newest counts"
    time.pass_by(second_factor.CONFIRM_WITHIN_US + 1)
    assert ada.post(confirm, {"code": again.code()}).status_code == 409, "too late"


def test_confirming_signs_out_everywhere_else(running: Any, ada: Any, time: Time) -> None:
    elsewhere = running.browser()
    elsewhere.sign_in()
    app = App(time, ada.post("/account/second-factor", {"password": PASSWORD}).json()["uri"])
    codes = ada.post("/account/second-factor/confirm", {"code": app.code()}).json()["codes"]
    assert len(codes) == 10
    assert elsewhere.get("/account/sessions").status_code == 401
    state = ada.get("/account/second-factor").json()
    assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
    assert ada.post("/account/second-factor", {"password": PASSWORD}).status_code == 409
    assert ada.post("/account/second-factor/confirm", {"code": app.code(1)}).status_code == 409


def test_a_code_is_taken_once(running: Any, ada: Any, enrolled: Enrolled, time: Time) -> None:
    app, _ = enrolled
    assert second(running.browser(), first_step(running.browser()), app.code(-1)).status_code == 422
    code = app.code()
    assert second(running.browser(), first_step(running.browser()), code).status_code == 200
    replayed = second(running.browser(), first_step(running.browser()), code)
    assert replayed.status_code == 422
    assert replayed.json()["errors"][0]["pointer"] == "/code"
    assert "set-cookie" not in replayed.headers
    time.pass_by()
    assert second(running.browser(), first_step(running.browser()), code).status_code == 422
    assert second(running.browser(), first_step(running.browser()), app.code()).status_code == 200


def test_a_recovery_code_is_taken_once(running: Any, ada: Any, enrolled: Enrolled) -> None:
    _, codes = enrolled
    typed = codes[0].lower().replace("-", " ")
    assert second(running.browser(), first_step(running.browser()), typed).status_code == 200
    assert second(running.browser(), first_step(running.browser()), typed).status_code == 422
    assert ada.get("/account/second-factor").json()["recovery_codes_left"] == 9
    renewed = ada.post("/account/recovery-codes", {"password": PASSWORD}).json()["codes"]
    assert not set(renewed) & set(codes)
    assert second(running.browser(), first_step(running.browser()), codes[1]).status_code == 422
    assert second(running.browser(), first_step(running.browser()), renewed[0]).status_code == 200


def test_turning_it_off_needs_the_password(running: Any, ada: Any, enrolled: Enrolled) -> None:
    off = "/account/second-factor/off"
    assert ada.post(off, {"password": "wrong horse battery"}).status_code == 422
    first_step(running.browser())
    assert ada.post(off, {"password": PASSWORD}).status_code == 204
    running.browser().sign_in()
    for path in (off, "/account/recovery-codes"):
        assert ada.post(path, {"password": PASSWORD}).status_code == 409
    with running.database.read() as connection:
        assert not connection.execute(select(recovery_codes)).all()


def test_the_token_of_the_first_step_is_no_session_and_ends(
    running: Any, ada: Any, enrolled: Enrolled, time: Time
) -> None:
    app, _ = enrolled
    token = first_step(running.browser())
    thief = running.browser()
    thief.http.cookies.set("z4j_session", token)
    assert thief.get("/session").json()["user"] is None
    for nonsense in ("", "x", "é" * 20):
        assert second(thief, nonsense, app.code()).status_code == 401
    assert second(thief, token, "'; DROP TABLE users").status_code == 422
    time.pass_by(sign_in.SECOND_STEP_US)
    late = second(running.browser(), token, app.code())
    assert (late.status_code, late.json()["type"]) == (401, "/problems/second-step-too-late")


def test_a_planted_session_is_not_taken_over_by_either_step(
    running: Any, ada: Any, enrolled: Enrolled
) -> None:
    """The thief's own session, planted in the owner's browser, does not become the owner's."""
    bob = running.member("viewer")
    planted = bob.http.cookies["z4j_session"]
    owner = running.browser()
    owner.http.cookies.set("z4j_session", planted, domain="127.0.0.1", path="/")
    owner.http.headers["X-CSRF-Token"] = bob.http.headers["X-CSRF-Token"]
    token = first_step_known(owner)
    assert bob.get("/session").json()["user"]["email"] == "bob@example.org"
    owner.enter(second(owner, token, enrolled[0].code()))
    assert owner.get("/session").json()["user"]["email"] == EMAIL
    assert owner.http.cookies["z4j_session"] != planted
    assert bob.get("/session").json()["user"] is None, "what the browser held before has ended"


def test_a_changed_password_ends_a_sign_in_under_way(
    running: Any, ada: Any, enrolled: Enrolled
) -> None:
    token = first_step(running.browser())
    form = {"current_password": PASSWORD, "new_password": "tulip anvil quarry mist"}
    assert ada.post("/account/password", form).status_code == 200
    assert second(running.browser(), token, enrolled[0].code()).status_code == 401


def test_codes_cannot_be_tried_in_numbers(
    running: Any, ada: Any, enrolled: Enrolled, time: Time
) -> None:
    app, codes = enrolled
    thief = running.browser()
    token = first_step(thief)
    for _ in range(back_off.PAIR.free):
        assert second(thief, token, app.wrong()).status_code == 422
    slowed = second(thief, token, app.code())
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    assert second(thief, token, codes[0]).status_code == 429, "at this address nothing goes faster"
    (told,) = log(running, "sign_in.locked")
    assert (told.actor_kind, told.object_name, told.address) == ("system", EMAIL, "127.0.0.1")
    assert json.loads(told.after) == {"wait_s": 1}
    assert second(ada, first_step_known(ada), app.code()).status_code == 200, "a known browser"


def first_step_known(browser: Any) -> str:
    answer = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    token: str = answer.json()["second_step"]
    return token


def log(running: Any, action: str) -> list[Any]:
    """Return what the audit log holds of an action, the oldest first."""
    wanted = select(audit).where(audit.c.action == action).order_by(audit.c.number)
    with running.database.read() as connection:
        return list(connection.execute(wanted))


def test_the_log_says_how_one_signed_in_and_what_ended(
    running: Any, ada: Any, time: Time, enrolled: Enrolled
) -> None:
    app, codes = enrolled
    for code in (app.code(), codes[0]):
        assert second(running.browser(), first_step(running.browser()), code).status_code == 200
    opened = [json.loads(row.after)["by"] for row in log(running, "session.opened")]
    assert opened == ["setup", "password and app", "password and recovery code"]
    assert json.loads(log(running, "second_factor.on")[0].after) == {"sessions_ended": 0}
    form = {"current_password": PASSWORD, "new_password": "tulip anvil quarry mist"}
    assert ada.post("/account/password", form).status_code == 200
    (changed,) = log(running, "user.password_changed")
    assert json.loads(changed.after) == {"sessions_ended": 3}


def test_after_a_hundred_wrong_codes_strangers_need_a_recovery_code(
    running: Any, ada: Any, enrolled: Enrolled, time: Time
) -> None:
    app, codes = enrolled
    with running.database.write() as connection:
        connection.execute(update(totp_secrets).values(failures=second_step.MOST_FAILURES - 1))
    thief = running.browser()
    token = first_step(thief)
    assert second(thief, token, app.wrong()).status_code == 422
    locked = second(thief, token, app.code())
    assert locked.status_code == 422
    assert "recovery code" in locked.json()["detail"]
    assert [row.object_name for row in log(running, "second_factor.locked")] == [EMAIL]
    assert second(ada, first_step_known(ada), app.code()).status_code == 200, "a known browser"
    assert second(thief, token, app.code(1)).status_code == 200, "a right one forgives"
    with running.database.write() as connection:
        connection.execute(update(totp_secrets).values(failures=second_step.MOST_FAILURES))
    stranger = running.browser()
    assert second(stranger, first_step(stranger), codes[0]).status_code == 200


def test_another_master_secret_leaves_the_recovery_codes(
    running: Any, ada: Any, enrolled: Enrolled
) -> None:
    app, codes = enrolled
    running.brain.keys = Keys(b"n" * 40, running.brain.keys.session)
    browser = running.browser()
    token = first_step(browser)
    lost = second(browser, token, app.code())
    assert lost.status_code == 422
    assert "z4j reset-mfa" in lost.json()["detail"]
    assert second(browser, token, codes[0]).status_code == 200


def test_nothing_in_the_database_opens_anything(running: Any, ada: Any, enrolled: Enrolled) -> None:
    app, codes = enrolled
    token = first_step(running.browser())
    with running.database.read() as connection:
        rows = [
            repr([bytes(value) if isinstance(value, memoryview) else value for value in row])
            for table in TABLES
            for row in connection.execute(select(table))
        ]
    text = "\n".join(rows)
    assert len(rows) > 12
    plain = [re.sub("-", "", code) for code in codes]
    secrets: list[str] = [token, *codes, *plain, base64.b32encode(app.secret).decode()]
    assert not any(secret in text for secret in [*secrets, repr(app.secret)[2:-1]])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/account/second-factor", None),
        ("POST", "/account/second-factor", {"password": PASSWORD}),
        ("POST", "/account/second-factor/confirm", {"code": "123456"}),
        ("POST", "/account/second-factor/off", {"password": PASSWORD}),
        ("POST", "/account/recovery-codes", {"password": PASSWORD}),
        ("POST", "/account/password", {"current_password": PASSWORD, "new_password": PASSWORD}),
        ("GET", "/account/sessions", None),
        ("DELETE", "/account/sessions", None),
    ],
)
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_an_account_is_for_its_owner(running: Any, method: str, path: str, body: Any) -> None:
    answer = running.browser().http.request(method, path, json=body)
    assert answer.status_code == 401
