"""Members of a project and accounts of the instance, over HTTP."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

MEMBERS = "/projects/shop/members"
USERS = "/instance/users"
EMAIL = "ada@example.org"


def _ids(browser: Any, path: str = MEMBERS, key: str = "user_id") -> dict[str, str]:
    return {item["email"]: item[key] for item in browser.get(path).json()["items"]}


def test_members_are_listed_in_pages(running: Any, ada: Any) -> None:
    for name in ("d", "b", "c"):
        running.member("viewer", f"{name}@example.org")
    seen: list[str] = []
    cursor = ""
    for _ in range(2):
        page = ada.get(MEMBERS, limit=2, cursor=cursor).json()
        seen += [item["email"] for item in page["items"]]
        assert page["count"] == 4
        cursor = page["next"] or ""
    assert seen == [EMAIL, "b@example.org", "c@example.org", "d@example.org"]
    assert cursor == ""
    assert ada.get(MEMBERS, cursor="AA").status_code == 422


def test_a_changed_role_counts_at_the_next_request(running: Any, ada: Any) -> None:
    bob = running.member("viewer")
    path = f"{MEMBERS}/{_ids(ada)['bob@example.org']}"
    assert bob.post("/projects/shop/agents", {"name": "a"}).status_code == 403
    changed = ada.put(path, {"role": "admin"})
    assert changed.json()["role"] == "admin"
    assert bob.post("/projects/shop/agents", {"name": "a"}).status_code == 201
    assert ada.put(path, {"role": "owner"}).status_code == 422
    assert ada.put(f"{MEMBERS}/{uuid.uuid4()}", {"role": "viewer"}).status_code == 404


def test_who_is_removed_finds_no_project(running: Any, ada: Any) -> None:
    bob = running.member("operator")
    path = f"{MEMBERS}/{_ids(ada)['bob@example.org']}"
    assert ada.delete(path).status_code == 204
    assert ada.delete(path).status_code == 404
    assert bob.get(MEMBERS).status_code == 404
    assert bob.get("/session").json()["projects"] == []


def test_the_last_admin_stays(running: Any, ada: Any) -> None:
    bob = running.member("admin")
    ids = _ids(ada)
    assert bob.delete(f"{MEMBERS}/{ids[EMAIL]}").status_code == 204
    own = f"{MEMBERS}/{ids['bob@example.org']}"
    for answer in (bob.delete(own), bob.put(own, {"role": "viewer"}), ada.delete(own)):
        assert answer.status_code == 409
        assert "no admin left" in answer.json()["detail"]
    assert bob.put(own, {"role": "admin"}).status_code == 200


def test_a_disabled_admin_does_not_count(running: Any, ada: Any) -> None:
    running.member("admin")
    ids = _ids(ada)
    assert ada.put(f"{USERS}/{ids['bob@example.org']}", {"disabled": True}).status_code == 200
    assert ada.delete(f"{MEMBERS}/{ids[EMAIL]}").status_code == 409
    assert ada.delete(f"{MEMBERS}/{ids['bob@example.org']}").status_code == 204


def test_of_two_admins_who_leave_at_once_one_stays(running: Any, ada: Any) -> None:
    bob = running.member("admin")
    ids = _ids(ada)
    answers: list[int] = []

    def leave(browser: Any, email: str) -> None:
        answers.append(browser.delete(f"{MEMBERS}/{ids[email]}").status_code)

    threads = [
        threading.Thread(target=leave, args=pair)
        for pair in ((ada, EMAIL), (bob, "bob@example.org"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 409]


def test_a_disabled_account_is_out_at_once_and_can_come_back(running: Any, ada: Any) -> None:
    bob = running.member("viewer")
    path = f"{USERS}/{_ids(ada)['bob@example.org']}"
    disabled = ada.put(path, {"disabled": True}).json()
    assert disabled["disabled_at"] is not None
    assert disabled["seen_at"] is None
    assert bob.get(MEMBERS).status_code == 401
    assert bob.post("/sign-in", {"email": "bob@example.org", "password": "x"}).status_code == 401
    again = ada.put(path, {"disabled": True}).json()
    assert again["disabled_at"] == disabled["disabled_at"], "it says since when"
    assert ada.put(path, {"disabled": False}).json()["disabled_at"] is None
    assert bob.get(MEMBERS).status_code == 401, "a session of before stays ended"
    bob.http.headers.pop("X-CSRF-Token")
    bob.sign_in("bob@example.org")
    assert bob.get(MEMBERS).status_code == 200


def test_nobody_disables_themself(running: Any, ada: Any) -> None:
    own = ada.get("/session").json()["user"]["id"]
    assert ada.put(f"{USERS}/{own}", {"disabled": True}).status_code == 409
    assert ada.put(f"{USERS}/{uuid.uuid4()}", {"disabled": True}).status_code == 404


@pytest.mark.parametrize("role", ["admin", None])
def test_accounts_are_for_administrators_of_the_instance(
    running: Any, ada: Any, role: str | None
) -> None:
    bob = running.member(role)
    own = bob.get("/session").json()["user"]["id"]
    assert bob.get(USERS).status_code == 403
    assert bob.put(f"{USERS}/{own}", {"disabled": False}).status_code == 403
    found = {item["email"]: item for item in ada.get(USERS).json()["items"]}
    assert found["bob@example.org"]["projects"] == (1 if role else 0)
    assert found["bob@example.org"]["seen_at"] is not None
    assert found[EMAIL]["is_admin"] is True
