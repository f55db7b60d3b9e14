"""The first run: a token that works once makes the admin, the project and a session."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select, update

from z4j_brain import clock
from z4j_brain.store.schema import feeds, memberships, one_time_tokens, projects, users

FORM = {
    "email": "Ada@Example.org",
    "name": "Ada",
    "password": "correct horse battery staple",
    "project_name": "Über Shop!",
}


def _count(running: Any, table: Any) -> int:
    with running.database.read() as connection:
        number: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
        return number


def test_a_new_server_asks_for_setup(running: Any) -> None:
    answer = running.browser().get("/session")
    assert answer.status_code == 200
    assert answer.json() == {
        "setup_needed": True,
        "user": None,
        "csrf_token": None,
        "version": answer.json()["version"],
        "projects": [],
        "passkeys": True,
        "second_factor_owed": False,
        "second_step": None,
        "second_step_ways": [],
        "provider": None,
        "by_password": True,
    }


def test_setup_makes_everything_and_signs_in(running: Any) -> None:
    token, browser = running.setup_token(), running.browser()
    assert browser.get("/setup/check", token=token).json() == {"valid": True}
    answer = browser.post("/setup", {"token": token, **FORM})
    assert answer.status_code == 201
    session = browser.enter(answer)
    assert session["user"]["email"] == "ada@example.org"
    assert session["user"]["is_admin"] is True
    assert [project["slug"] for project in session["projects"]] == ["uber-shop"]
    assert "agent.manage" in session["projects"][0]["permissions"]
    assert browser.get("/session").json() == session
    assert [_count(running, table) for table in (users, projects, feeds, memberships)] == [1] * 4


def test_a_token_works_once(running: Any) -> None:
    token = running.setup_token()
    assert running.browser().post("/setup", {"token": token, **FORM}).status_code == 201
    again = running.browser().post("/setup", {"token": token, **FORM, "email": "eve@example.org"})
    assert again.status_code == 403
    assert again.json()["type"] == "/problems/setup-token-invalid"
    assert running.browser().get("/setup/check", token=token).json() == {"valid": False}
    assert _count(running, users) == 1


def test_one_setup_ends_every_other_token(running: Any) -> None:
    first, second = running.setup_token(), running.setup_token()
    assert running.browser().post("/setup", {"token": first, **FORM}).status_code == 201
    assert running.browser().post("/setup", {"token": second, **FORM}).status_code == 403
    assert _count(running, one_time_tokens) == 0


def test_two_setups_at_once_make_one_admin(running: Any) -> None:
    tokens = [running.setup_token() for _ in range(4)]

    def set_up(token: str) -> int:
        body = {"token": token, **FORM, "email": f"{uuid.uuid4().hex}@example.org"}
        status: int = running.browser().post("/setup", body).status_code
        return status

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(set_up, tokens))
    assert statuses == [201, 403, 403, 403]
    assert _count(running, users) == 1


def test_a_token_is_stored_as_a_hash_and_ends_after_a_day(running: Any) -> None:
    token = running.setup_token()
    with running.database.write() as connection:
        row = connection.execute(select(one_time_tokens)).one()
        assert token.encode() not in bytes(row.token_hash)
        assert row.expires_at - row.created_at == 24 * 3_600_000_000
        connection.execute(update(one_time_tokens).values(expires_at=clock.now() - 1))
    assert running.browser().get("/setup/check", token=token).json() == {"valid": False}
    assert running.browser().post("/setup", {"token": token, **FORM}).status_code == 403


BAD = [
    ("password", "too short"),
    ("password", "x" * 1001),
    ("email", "nobody"),
    ("email", "ada@example.org\n"),
    ("name", ""),
    ("name", "   "),
    ("name", "a\nb"),
    ("name", "a\n"),
    ("name", 7),
    ("project_name", "x" * 101),
]


def test_bad_input_names_the_field_and_keeps_the_token(running: Any) -> None:
    token = running.setup_token()
    for field, value in BAD:
        answer = running.browser().post("/setup", {"token": token, **FORM, field: value})
        assert answer.status_code == 422, (field, value)
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]
    assert running.browser().get("/setup/check", token=token).json() == {"valid": True}


def test_nobody_gets_a_token_when_somebody_has_an_account(running: Any, ada: Any) -> None:
    from z4j_brain.auth.setup import mint_token

    with running.database.write() as connection:
        assert mint_token(connection, running.brain.keys, clock.now()) is None
    assert ada.get("/session").json()["setup_needed"] is False
