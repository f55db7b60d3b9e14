"""Who may call what, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

AGENTS = "/projects/shop/agents"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_a_reader_reads_and_is_refused_with_the_permission_named(
    running: Any, ada: Any, role: str
) -> None:
    bob = running.member(role)
    assert bob.get(AGENTS).status_code == 200
    answer = bob.post(AGENTS, {"name": "a"})
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/permission-missing"
    assert "agent.manage" in answer.json()["detail"]
    assert ada.get(AGENTS).json()["count"] == 0


def test_an_admin_of_the_project_may(running: Any, ada: Any) -> None:
    bob = running.member("admin")
    assert bob.post(AGENTS, {"name": "a"}).status_code == 201
    assert bob.get("/session").json()["user"]["is_admin"] is False


def test_a_stranger_cannot_tell_a_project_from_none(running: Any, ada: Any) -> None:
    bob = running.member(None)
    reads = [bob.get(AGENTS), bob.get("/projects/nothing/agents")]
    answers = [*reads, bob.post(AGENTS, {"name": "a"})]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[0].json() == answers[1].json()
    assert bob.get("/session").json()["projects"] == []


def test_nobody_gets_a_401(running: Any, ada: Any) -> None:
    for path in (AGENTS, "/projects/nothing/agents"):
        answer = running.browser().get(path)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/sign-in-required"


def test_every_declared_route_refuses_nobody_unless_it_is_public(running: Any) -> None:
    from z4j_brain.api.table import all_routes

    for one in all_routes():
        path = one.path.replace("{", "").replace("}", "")
        answer = running.browser().http.request(one.method, path, json={})
        if one.permission == "public":
            assert answer.status_code != 401 or one.name == "sign_in_by_password"
        else:
            assert answer.status_code == 401, f"{one.method} {one.path}"
