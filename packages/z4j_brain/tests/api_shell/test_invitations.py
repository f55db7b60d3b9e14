"""Invitations over HTTP: a link that works once, for one address, while its maker may invite."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from z4j_brain import clock
from z4j_brain.store.schema import invitations

INVITATIONS = "/projects/shop/invitations"
MEMBERS = "/projects/shop/members"
PASSWORD = "correct horse battery staple"
EVE = "eve@example.org"


def _invite(browser: Any, email: str = EVE, role: str = "operator", **more: Any) -> str:
    answer = browser.post(INVITATIONS, {"email": email, "role": role, **more})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url.partition("#")[2]


def _form(token: str, **more: str) -> dict[str, str]:
    return {"token": token, "name": "Eve", "password": PASSWORD, **more}


def _refusals(browser: Any, token: str) -> list[int]:
    """Return how the three public steps answer a link."""
    return [
        browser.post("/invitations/check", {"token": token}).status_code,
        browser.post("/invitations/sign-up", _form(token)).status_code,
    ]


def test_a_new_person_makes_an_account_and_is_in(running: Any, ada: Any) -> None:
    answer = ada.post(INVITATIONS, {"email": " Eve@Example.org ".strip(), "role": "operator"})
    url = answer.json()["url"]
    assert url.startswith(f"{running.url}/invitation#")
    token = url.partition("#")[2]
    eve = running.browser()
    assert eve.post("/invitations/check", {"token": token}).json() == {
        "project": "Shop",
        "email": EVE,
        "role": "operator",
        "has_account": False,
    }
    session = eve.enter(eve.post("/invitations/sign-up", _form(token)))
    assert session["user"]["email"] == EVE
    assert [(one["slug"], one["role"]) for one in session["projects"]] == [("shop", "operator")]
    assert eve.get(MEMBERS).status_code == 200
    assert _refusals(running.browser(), token) == [403, 403], "it works once"
    assert ada.get(INVITATIONS).json()["items"] == []


def test_a_password_that_the_rules_refuse_leaves_the_link_good(running: Any, ada: Any) -> None:
    token, eve = _invite(ada), running.browser()
    for password in ("too short", f"{EVE} 2026"):
        answer = eve.post("/invitations/sign-up", _form(token, password=password))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].endswith("/password")
    eve.enter(eve.post("/invitations/sign-up", _form(token)))


def test_an_existing_account_signs_in_and_accepts(running: Any, ada: Any) -> None:
    bob = running.member(None)
    token = _invite(ada, "bob@example.org", "viewer")
    assert bob.post("/invitations/sign-up", _form(token)).status_code == 409
    session = bob.post("/invitations/accept", {"token": token}).json()
    assert [(one["slug"], one["role"]) for one in session["projects"]] == [("shop", "viewer")]
    assert bob.post("/invitations/accept", {"token": token}).status_code == 403


def test_it_is_for_one_address(running: Any, ada: Any) -> None:
    token = _invite(ada)
    bob = running.member(None)
    answer = bob.post("/invitations/accept", {"token": token})
    assert answer.status_code == 409
    assert EVE in answer.json()["detail"]
    eve = running.browser()
    eve.enter(eve.post("/invitations/sign-up", _form(token)))


def test_only_a_hash_is_stored_and_no_list_shows_the_link(running: Any, ada: Any) -> None:
    token = _invite(ada)
    listed = ada.get(INVITATIONS)
    assert token not in listed.text
    [item] = listed.json()["items"]
    assert (item["email"], item["role"], item["invited_by"]) == (EVE, "operator", "ada@example.org")
    assert item["void"] is False
    with running.database.read() as connection:
        row = connection.execute(select(invitations)).one()
    assert token.encode() not in bytes(row.token_hash)
    assert token not in str(row)


def test_links_end(running: Any, ada: Any) -> None:
    first = _invite(ada)
    second = _invite(ada)
    assert _refusals(running.browser(), first) == [403, 403], "a newer one replaces it"
    [item] = ada.get(INVITATIONS).json()["items"]
    assert ada.delete(f"{INVITATIONS}/{item['id']}").status_code == 204
    assert ada.delete(f"{INVITATIONS}/{item['id']}").status_code == 404
    assert _refusals(running.browser(), second) == [403, 403], "it was withdrawn"
    third = _invite(ada)
    with running.database.write() as connection:
        connection.execute(update(invitations).values(expires_at=clock.now()))
    assert _refusals(running.browser(), third) == [403, 403], "it ran out"
    assert ada.get(INVITATIONS).json()["items"] == []


@pytest.mark.parametrize("ending", ["removed", "demoted", "disabled"])
def test_who_may_not_invite_any_more_has_not_invited(running: Any, ada: Any, ending: str) -> None:
    bob = running.member("admin")
    token = _invite(bob)
    member = {one["email"]: one for one in ada.get(MEMBERS).json()["items"]}["bob@example.org"]
    path = f"{MEMBERS}/{member['user_id']}"
    if ending == "removed":
        assert ada.delete(path).status_code == 204
    elif ending == "demoted":
        assert ada.put(path, {"role": "viewer"}).status_code == 200
    else:
        assert ada.put(f"/instance/users/{member['user_id']}", {"disabled": True}).is_success
    assert _refusals(running.browser(), token) == [403, 403]
    assert ada.get(INVITATIONS).json()["items"][0]["void"] is True


def test_members_are_not_invited(running: Any, ada: Any) -> None:
    running.member("viewer")
    answer = ada.post(INVITATIONS, {"email": "BOB@example.org", "role": "admin"})
    assert answer.status_code == 409
    for wrong in ({"role": "owner"}, {"email": "nobody"}, {"valid_hours": 721}):
        form = {"email": EVE, "role": "viewer", **wrong}
        assert ada.post(INVITATIONS, form).status_code == 422, wrong


def test_of_two_who_use_a_link_at_once_one_gets_in(running: Any, ada: Any) -> None:
    token = _invite(ada)
    browsers = [running.browser() for _ in range(4)]
    answers: list[int] = []

    def use(browser: Any) -> None:
        answers.append(browser.post("/invitations/sign-up", _form(token)).status_code)

    threads = [threading.Thread(target=use, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(201) == 1
    assert set(answers) <= {201, 403, 409}


def test_the_link_keeps_a_prefix(start: Any) -> None:
    with start(root_path="/z4j") as running:
        ada = running.set_up()
        answer = ada.post(INVITATIONS, {"email": EVE, "role": "viewer"})
        assert answer.json()["url"].startswith(f"{running.url}/invitation#")


def test_nonsense_is_no_link(running: Any, ada: Any) -> None:
    for token in ("", "x", "ü" * 100, "a" * 128):
        assert _refusals(running.browser(), token) == [403, 403]
    assert running.browser().post("/invitations/check", {"token": "a" * 129}).status_code == 422
