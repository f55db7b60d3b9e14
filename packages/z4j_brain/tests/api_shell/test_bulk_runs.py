"""Bulk runs over HTTP: what comes back, what is turned down, who may do it."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select, update

from z4j_brain import clock
from z4j_brain.store.schema import agents, bulk_members, projects, tasks, workers
from z4j_brain.store.types import new_id
from z4j_core.frames import ActionInfo, EngineInfo

RUNS = "/projects/shop/bulk-runs"
RETRY = {"action": "retry", "engine": "celery", "filter": "state:failed"}
DELAY = '{"type":"object","properties":{"delay_s":{"type":"number"}},"additionalProperties":false}'


@pytest.fixture
def failed(running: Any, ada: Any) -> Any:
    """A project with 5 failed tasks and a worker without a link; return Ada."""
    ada.post("/projects/shop/agents", {"name": "web"})
    engines = [EngineInfo("celery", "5", [ActionInfo("retry", "task", params_schema=DELAY)])]
    at = clock.now() - 1_000_000
    with running.database.write() as connection:
        project = connection.execute(select(projects.c.id)).scalar_one()
        worker = {
            "id": new_id(),
            "project_id": project,
            "agent_id": connection.execute(select(agents.c.id)).scalar_one(),
            "worker_id": "w1",
            "epoch": "e1",
            "engines": msgspec.to_builtins(engines),
            "plugin_errors": [],
            "first_seen": at,
            "last_seen": at,
        }
        connection.execute(insert(workers).values(worker))
        for number in range(5):
            times = dict.fromkeys(("state_at", "first_at", "last_at", "ended_at"), at + number)
            known = {"engine": "celery", "task_id": f"t{number}", "name": "shop.pay"}
            state = {"state": "failed", "state_rank": 6, "attempt": 0}
            connection.execute(insert(tasks).values(project_id=project, **times, **known, **state))
    return ada


def wait_until_gathered(ada: Any, run: str) -> Any:
    deadline = time.monotonic() + 60
    while (found := ada.get(f"{RUNS}/{run}").json())["state"] == "preparing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_from_the_estimate_to_the_abort(running: Any, failed: Any) -> None:
    estimate = failed.post(f"{RUNS}/estimate", RETRY | {"rate": 2}).json()
    assert (estimate["eligible"], estimate["duration_s"]) == (5, 2.5)
    assert estimate["by_name"] == [{"name": "shop.pay", "count": 5}]
    made = failed.post(RUNS, RETRY | {"params": {"delay_s": 3}, "canary": {"then": "wait"}})
    assert made.status_code == 202, made.text
    run = made.json()
    assert (run["state"], run["matching"], run["params"]) == ("preparing", 5, {"delay_s": 3})
    assert (run["canary"]["then"], run["canary"]["percent"], run["rate"]) == ("wait", 1.0, 20.0)
    assert run["created_by"]["email"] == "ada@example.org"
    gathered = wait_until_gathered(failed, run["id"])
    assert gathered["counts"]["waiting"] == gathered["total"] == 5, "no worker is linked"
    listed = failed.get(RUNS).json()
    assert ([one["id"] for one in listed["items"]], listed["count"]) == ([run["id"]], 1)
    ended = failed.post(f"{RUNS}/{run['id']}/steps", {"step": "abort"})
    assert ended.json()["state"] in ("aborting", "aborted")
    assert failed.post(f"{RUNS}/{run['id']}/steps", {"step": "resume"}).status_code == 409


def test_members_come_in_pages_and_by_result(running: Any, failed: Any) -> None:
    run = failed.post(RUNS, RETRY).json()["id"]
    wait_until_gathered(failed, run)
    with running.database.write() as connection:
        change = update(bulk_members).where(bulk_members.c.number == 4)
        connection.execute(change.values(state="failed"))
    found, cursor = [], ""
    while True:
        page = failed.get(f"{RUNS}/{run}/members", limit=2, cursor=cursor).json()
        found += [one["number"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert found == [1, 2, 3, 4, 5]
    [member] = failed.get(f"{RUNS}/{run}/members", state="failed").json()["items"]
    assert member["task_id"] == "t3"
    wrong = failed.get(f"{RUNS}/{run}/members", state="failed", cursor=cursor)
    assert wrong.status_code == 422, "a cursor of another list"


NONSENSE = [
    ({"filter": "state:broken"}, "/filter[0:12]"),
    ({"filter": "x" * 5_000}, "/filter"),
    ({"filter": "queue:nowhere"}, "/filter"),
    ({"rate": 0}, "/rate"),
    ({"rate": 1e9}, "/rate"),
    ({"rate": "fast"}, "/rate"),
    ({"canary": {"percent": 101}}, "/canary/percent"),
    ({"canary": {"then": "hope"}}, "/canary/then"),
    ({"canary": {"patience_s": -1}}, "/canary/patience_s"),
    ({"action": "Retry; DROP"}, "/action"),
    ({"params": {"delay_s": "soon"}}, "/params/delay_s"),
    ({"params": {"password": "hunter2"}}, "/params"),
    ({"params": []}, "/params"),
]
"""What of a request is wrong, and where the answer must point to."""


def test_what_makes_no_sense_is_placed(failed: Any) -> None:
    for change, pointer in NONSENSE:
        answer = failed.post(RUNS, RETRY | change)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert "hunter2" not in answer.text
    assert failed.get(RUNS).json()["items"] == []


def test_it_needs_both_permissions(running: Any, failed: Any) -> None:
    viewer = running.member("viewer")
    assert viewer.post(f"{RUNS}/estimate", RETRY).status_code == 200
    assert viewer.post(RUNS, RETRY).status_code == 403
    run = failed.post(RUNS, RETRY).json()["id"]
    for lacking, scopes in (
        ("command.retry", ["bulk.run", "bulk.read"]),
        ("bulk.run", ["command.retry", "bulk.read"]),
    ):
        form = {"name": lacking, "project": "shop", "scopes": scopes}
        key = failed.post("/keys", form).json()["key"]
        program = running.browser({"Authorization": f"Bearer {key}"})
        for path, body in ((RUNS, RETRY), (f"{RUNS}/{run}/steps", {"step": "abort"})):
            answer = program.post(path, body)
            assert answer.status_code == 403
            assert lacking in answer.json()["detail"]


def test_a_run_of_another_project_is_none(running: Any, failed: Any) -> None:
    failed.post("/instance/projects", {"name": "Depot"})
    run = failed.post(RUNS, RETRY).json()["id"]
    for path in (f"/projects/depot/bulk-runs/{run}", f"/projects/depot/bulk-runs/{run}/members"):
        assert failed.get(path).status_code == 404
    steps = f"/projects/depot/bulk-runs/{run}/steps"
    assert failed.post(steps, {"step": "abort"}).status_code == 404
    assert failed.get(f"{RUNS}/{run}").json()["state"] in ("preparing", "canary")
