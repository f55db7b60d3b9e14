"""Making, listing and renaming projects, over HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from z4j_brain import clock
from z4j_brain.auth import projects as making
from z4j_brain.store.schema import agents, projects, workers
from z4j_brain.store.types import new_id

PROJECTS = "/instance/projects"
SHOP = "/projects/shop"


def _listed(browser: Any) -> dict[str, Any]:
    return {item["slug"]: item for item in browser.get(PROJECTS).json()["items"]}


def _count(running: Any) -> int:
    with running.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(projects)).scalar_one())


def test_a_new_project_works_at_once(running: Any, ada: Any) -> None:
    answer = ada.post(PROJECTS, {"name": " Dépôt Nord "})
    assert (answer.status_code, answer.json()) == (
        201,
        {"slug": "depot-nord", "name": "Dépôt Nord"},
    )
    entered = {one["slug"]: one["role"] for one in ada.get("/session").json()["projects"]}
    assert entered == {"shop": "admin", "depot-nord": "admin"}
    made = ada.post("/projects/depot-nord/agents", {"name": "billing"})
    assert made.status_code == 201
    assert ada.get(f"{SHOP}/agents").json()["items"] == []
    members = ada.get("/projects/depot-nord/members").json()["items"]
    assert [(one["email"], one["role"]) for one in members] == [("ada@example.org", "admin")]


def test_a_taken_slug_is_refused_and_another_may_be_given(running: Any, ada: Any) -> None:
    answer = ada.post(PROJECTS, {"name": "SHOP!"})
    assert answer.status_code == 409
    assert "There is a project shop already" in answer.json()["detail"]
    assert ada.post(PROJECTS, {"name": "店", "slug": "mise"}).json()["slug"] == "mise"
    assert ada.post(PROJECTS, {"name": "店"}).json()["slug"] == "project"
    assert _count(running) == 3


def test_of_two_who_want_the_same_slug_one_gets_it(running: Any, ada: Any) -> None:
    others = [running.browser() for _ in range(2)]
    for other in others:
        other.sign_in()
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda one=one: answers.append(one.post(PROJECTS, {"name": "Depot"}).status_code)
        )
        for one in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [201, 409]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "a\nb"},
        {"name": "a" * 101},
        {"name": 7},
        {"name": "a", "slug": ""},
        {"name": "a", "slug": "A"},
        {"name": "a", "slug": "a/../b"},
        {"name": "a", "slug": "a\n"},
        {"name": "a", "slug": "-a"},
        {"name": "a", "slug": "a" * 61},
    ],
)
def test_what_is_no_name_or_slug_is_refused(running: Any, ada: Any, form: Any) -> None:
    assert ada.post(PROJECTS, form).status_code == 422
    if "slug" not in form:
        assert ada.patch(SHOP, form).status_code == 422
    assert list(_listed(ada)) == ["shop"]
    assert _listed(ada)["shop"]["name"] == "Shop"


def test_the_list_counts_members_agents_and_tells_the_newest_event(running: Any, ada: Any) -> None:
    running.member("viewer")
    ada.post(PROJECTS, {"name": "Depot"})
    for name in ("billing", "old"):
        ada.post(f"{SHOP}/agents", {"name": name})
    old = ada.get(f"{SHOP}/agents").json()["items"][1]
    assert ada.delete(f"{SHOP}/agents/{old['id']}").status_code == 204
    now = clock.now()
    with running.database.write() as connection:
        owner = connection.execute(select(agents.c.project_id, agents.c.id)).first()
        for number, heard in enumerate((now - 5_000_000, now, None)):
            connection.execute(
                insert(workers).values(
                    id=new_id(),
                    project_id=owner.project_id,
                    agent_id=owner.id,
                    worker_id=f"w{number}",
                    epoch="e1",
                    engines=[],
                    plugin_errors=[],
                    first_seen=now,
                    last_seen=now,
                    last_event_at=heard,
                )
            )
    listed = _listed(ada)
    assert list(listed) == ["depot", "shop"]
    assert (listed["shop"]["members"], listed["shop"]["agents"]) == (2, 1)
    assert listed["shop"]["last_event_at"] > listed["shop"]["created_at"]
    depot = listed["depot"]
    assert (depot["members"], depot["agents"], depot["last_event_at"]) == (1, 0, None)


def test_a_renamed_project_keeps_its_slug(running: Any, ada: Any) -> None:
    admin, viewer = running.member("admin"), running.member("viewer", "eve@example.org")
    answer = admin.patch(SHOP, {"name": " Corner shop "})
    assert (answer.status_code, answer.json()) == (200, {"slug": "shop", "name": "Corner shop"})
    assert viewer.get("/session").json()["projects"][0]["name"] == "Corner shop"
    assert viewer.patch(SHOP, {"name": "Mine"}).status_code == 403
    assert admin.post(PROJECTS, {"name": "Mine"}).status_code == 403
    assert ada.patch("/projects/nothing", {"name": "Mine"}).status_code == 404
    assert list(_listed(ada)) == ["shop"]


def test_there_is_a_greatest_number(
    running: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_PROJECTS", 1)
    assert ada.post(PROJECTS, {"name": "Depot"}).status_code == 409
    assert _count(running) == 1
