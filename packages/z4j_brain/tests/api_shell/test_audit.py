"""The audit log over HTTP: what every unsafe route writes, who reads it, the verify button."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, text

from z4j_brain import clock
from z4j_brain.api.route import SAFE
from z4j_brain.api.table import all_routes
from z4j_brain.auth.totp import code_at, step_at
from z4j_brain.store.schema import audit, issues, workers
from z4j_brain.store.types import new_id
from z4j_core.frames import ActionInfo, EngineInfo

AUDIT = "/projects/shop/audit"
AGENTS = "/projects/shop/agents"
FACTOR = "/account/second-factor"
PASSWORD = "correct horse battery staple"
Scene = Callable[[Any, Any], list[str]]
"""Calls a route as Ada, and returns the actions that the log must have gained by that."""


def sign_in(running: Any, ada: Any) -> list[str]:
    running.browser().sign_in()
    return ["session.opened"]


def sign_out(running: Any, ada: Any) -> list[str]:
    assert ada.post("/sign-out").status_code == 200
    return ["session.ended"]


def create_agent(running: Any, ada: Any) -> list[str]:
    assert ada.post(AGENTS, {"name": "billing"}).status_code == 201
    return ["agent.created", "agent.token_minted"]


def mint_token(running: Any, ada: Any) -> list[str]:
    made = create_agent(running, ada)
    assert ada.post(f"{AGENTS}/{_agent(ada)['id']}/tokens").status_code == 201
    return [*made, "agent.token_minted"]


def revoke_agent(running: Any, ada: Any) -> list[str]:
    made = create_agent(running, ada)
    assert ada.delete(f"{AGENTS}/{_agent(ada)['id']}").status_code == 204
    return [*made, "agent.revoked"]


def revoke_token(running: Any, ada: Any) -> list[str]:
    made = create_agent(running, ada)
    agent = _agent(ada)
    path = f"{AGENTS}/{agent['id']}/tokens/{agent['tokens'][0]['id']}"
    assert ada.delete(path).status_code == 204
    return [*made, "agent.token_revoked"]


def create_command(running: Any, ada: Any) -> list[str]:
    made = create_agent(running, ada)
    engines = [EngineInfo("celery", "5", [ActionInfo("forget", "engine")])]
    with running.database.write() as connection:
        connection.execute(
            insert(workers).values(
                id=new_id(),
                project_id=_project(connection),
                agent_id=uuid.UUID(_agent(ada)["id"]),
                worker_id="w1",
                epoch="e1",
                engines=msgspec.to_builtins(engines),
                plugin_errors=[],
                first_seen=clock.now(),
                last_seen=clock.now(),
            )
        )
    params = {"password": "hunter2", "days": 3}
    answer = ada.post(
        "/projects/shop/commands", {"action": "forget", "engine": "celery", "params": params}
    )
    assert answer.status_code == 202, answer.text
    return [*made, "command.forget"]


def decide_issue(running: Any, ada: Any) -> list[str]:
    with running.database.write() as connection:
        values = {name: clock.now() for name in ("created_at", "first_seen", "last_seen")}
        connection.execute(
            insert(issues).values(
                project_id=_project(connection),
                id="a1",
                exception_type="ValueError",
                title="shop.pay in run",
                stack="",
                **values,
            )
        )
    answer = ada.post("/projects/shop/issues/a1/decisions", {"decision": "resolved"})
    assert answer.status_code == 201, answer.text
    return ["issue.decided"]


def replace_redaction(running: Any, ada: Any) -> list[str]:
    answer = ada.http.put("/projects/shop/redaction", json={})
    assert answer.status_code == 200, answer.text
    return ["redaction.replaced"]


def change_password(running: Any, ada: Any) -> list[str]:
    form = {"current_password": PASSWORD, "new_password": "tulip hunter2 quarry mist"}
    ada.enter(ada.post("/account/password", form))
    return ["user.password_changed"]


def end_session(running: Any, ada: Any) -> list[str]:
    made = sign_in(running, ada)
    items = ada.get("/account/sessions").json()["items"]
    other = next(one["id"] for one in items if not one["is_current"])
    assert ada.delete(f"/account/sessions/{other}").status_code == 204
    return [*made, "session.ended"]


def end_other_sessions(running: Any, ada: Any) -> list[str]:
    made = sign_in(running, ada)
    assert ada.delete("/account/sessions").json() == {"ended": 1}
    return [*made, "session.ended"]


def begin_factor(running: Any, ada: Any) -> list[str]:
    _app(ada)
    return ["second_factor.begun"]


def confirm_factor(running: Any, ada: Any) -> list[str]:
    secret = _app(ada)
    code = code_at(secret, step_at(clock.now()))
    assert ada.post(f"{FACTOR}/confirm", {"code": code}).status_code == 200
    return ["second_factor.begun", "second_factor.on"]


def replace_codes(running: Any, ada: Any) -> list[str]:
    made = confirm_factor(running, ada)
    assert ada.post("/account/recovery-codes", {"password": PASSWORD}).status_code == 200
    return [*made, "recovery_codes.replaced"]


def turn_factor_off(running: Any, ada: Any) -> list[str]:
    made = confirm_factor(running, ada)
    assert ada.post(f"{FACTOR}/off", {"password": PASSWORD}).status_code == 204
    return [*made, "second_factor.off"]


def sign_in_by_code(running: Any, ada: Any) -> list[str]:
    secret = _app(ada)
    step = step_at(clock.now())
    assert ada.post(f"{FACTOR}/confirm", {"code": code_at(secret, step)}).status_code == 200
    browser = running.browser()
    answer = browser.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})
    form = {"second_step": answer.json()["second_step"], "code": code_at(secret, step + 1)}
    browser.enter(browser.post("/sign-in/code", form))
    return ["second_factor.begun", "second_factor.on", "session.opened"]


SCENES: dict[str, Scene] = {
    "sign_in_by_password": sign_in,
    "sign_in_by_code": sign_in_by_code,
    "sign_out": sign_out,
    "change_own_password": change_password,
    "end_own_session": end_session,
    "end_other_own_sessions": end_other_sessions,
    "begin_second_factor": begin_factor,
    "confirm_second_factor": confirm_factor,
    "replace_recovery_codes": replace_codes,
    "turn_second_factor_off": turn_factor_off,
    "create_agent": create_agent,
    "mint_token": mint_token,
    "revoke_agent": revoke_agent,
    "revoke_token": revoke_token,
    "create_command": create_command,
    "decide_issue": decide_issue,
    "replace_redaction": replace_redaction,
}
"""By the name of the handler."""
EXCEPTIONS = {
    "complete_setup": "it needs an instance without anybody: test_the_first_rows_are_of_the_set_up",
    "verify_audit": "it reads, and changes nothing",
    "preview_redaction": "it stores nothing",
}


def _app(ada: Any) -> bytes:
    """Begin a second step, and return the secret of the app."""
    begun = ada.post(FACTOR, {"password": PASSWORD})
    assert begun.status_code == 201, begun.text
    return base64.b32decode(begun.json()["secret"])


def _agent(ada: Any) -> Any:
    return ada.get(AGENTS).json()["items"][0]


def _project(connection: Any) -> uuid.UUID:
    return uuid.UUID(str(connection.execute(text("SELECT id FROM projects")).scalar_one()))


def _log(running: Any) -> list[Any]:
    with running.database.read() as connection:
        return list(connection.execute(audit.select().order_by(audit.c.at, audit.c.number)).all())


def test_every_unsafe_route_is_in_one_of_the_two_lists() -> None:
    unsafe = {one.name for one in all_routes() if one.method not in SAFE}
    assert unsafe == SCENES.keys() | EXCEPTIONS.keys(), (
        "an unsafe route needs a scene that shows its row in the audit log, or a reason for none"
    )
    assert not SCENES.keys() & EXCEPTIONS.keys()


@pytest.mark.parametrize("name", sorted(SCENES))
def test_an_unsafe_route_writes_the_audit_log(running: Any, ada: Any, name: str) -> None:
    before = len(_log(running))
    wanted = SCENES[name](running, ada)
    rows = _log(running)[before:]
    assert [row.action for row in rows] == wanted
    for row in rows:
        assert (row.actor_kind, row.actor_name) == ("person", "ada@example.org")
        assert row.address == "127.0.0.1"
        assert re.fullmatch("[0-9a-f]{16}", row.request_id)
        assert row.object_name
        assert "hunter2" not in repr(row)
        assert PASSWORD not in repr(row)


def test_the_first_rows_are_of_the_set_up(running: Any, ada: Any) -> None:
    told = [(row.action, row.object_name) for row in _log(running)]
    assert sorted(told) == [
        ("audit.begun", ""),
        ("member.added", "ada@example.org"),
        ("project.created", "shop"),
        ("session.opened", "ada@example.org"),
        ("user.created", "ada@example.org"),
    ]


def test_what_is_refused_leaves_no_row(running: Any, ada: Any) -> None:
    create_agent(running, ada)
    before = len(_log(running))
    nobody = uuid.UUID(int=5)
    assert ada.post(AGENTS, {"name": "billing"}).status_code == 409
    assert ada.delete(f"{AGENTS}/{nobody}").status_code == 404
    assert ada.post(f"{AGENTS}/{nobody}/tokens").status_code == 404
    assert ada.delete(f"/account/sessions/{nobody}").status_code == 404
    assert ada.delete("/account/sessions").json() == {"ended": 0}
    wrong = {"current_password": "wrong", "new_password": "tulip anvil quarry mist"}
    assert ada.post("/account/password", wrong).status_code == 422
    assert ada.post(FACTOR, {"password": "wrong"}).status_code == 422
    assert ada.post(f"{FACTOR}/confirm", {"code": "123456"}).status_code == 409
    for path in (f"{FACTOR}/off", "/account/recovery-codes"):
        assert ada.post(path, {"password": PASSWORD}).status_code == 409
    decision = {"decision": "muted"}
    assert ada.post("/projects/shop/issues/zz/decisions", decision).status_code == 404
    assert len(_log(running)) == before


def test_a_lockout_is_told_without_what_was_typed(running: Any, ada: Any) -> None:
    before = len(_log(running))
    for email in ("ada@example.org", "my secret passphrase"):
        for _ in range(7):
            running.browser().post("/sign-in", {"email": email, "password": "wrong"})
    rows = _log(running)[before:]
    assert {row.action for row in rows} == {"sign_in.locked"}
    assert {row.object_name for row in rows} == {"ada@example.org", "(no such account)"}
    assert all((row.actor_kind, row.address) == ("system", "127.0.0.1") for row in rows)
    assert "passphrase" not in repr(rows)


@pytest.mark.parametrize(("role", "status"), [("auditor", 200), ("operator", 403), ("viewer", 403)])
def test_who_reads_the_log(running: Any, ada: Any, role: str, status: int) -> None:
    bob = running.member(role)
    assert bob.get(AUDIT).status_code == status
    assert bob.post(f"{AUDIT}/verify", {}).status_code == status


def test_pages_go_on_where_they_ended_and_filters_choose(running: Any, ada: Any) -> None:
    create_agent(running, ada)
    whole = ada.get(AUDIT).json()
    assert (whole["count"], whole["count_capped"], whole["next"]) == (4, False, None)
    entry = whole["items"][0]
    assert (entry["action"], entry["actor"]["name"]) == ("agent.token_minted", "ada@example.org")
    assert entry["after"].keys() == {"id"}
    numbers, cursor = [], ""
    for _ in range(4):
        page = ada.get(AUDIT, limit=1, cursor=cursor).json()
        numbers += [one["number"] for one in page["items"]]
        cursor = page["next"] or ""
    assert (numbers, cursor) == ([4, 3, 2, 1], "")
    assert ada.get(AUDIT, action="agent").json()["count"] == 2
    assert ada.get(AUDIT, object="billing", action="agent.created").json()["count"] == 1
    assert ada.get(AUDIT, actor="nobody").json()["items"] == []
    assert ada.get(AUDIT, until="2001-01-01T00:00:00Z").json()["count"] == 0
    assert ada.get(AUDIT, since="2001-01-01T00:00:00Z").json()["count"] == 4
    first = ada.get(AUDIT, limit=1).json()["next"]
    for query in ({"since": "yesterday"}, {"cursor": "AA"}, {"cursor": first, "action": "x"}):
        assert ada.get(AUDIT, **query).status_code == 422


def test_the_verify_button_says_what_it_verified(running: Any, ada: Any) -> None:
    create_agent(running, ada)
    good = ada.post(f"{AUDIT}/verify", {}).json()
    assert good.pop("broken", "") is None
    assert good == {"intact": True, "first": 1, "last": 4, "rows": 4, "whole": True, "next": None}
    part = ada.post(f"{AUDIT}/verify", {"first": 3}).json()
    assert (part["rows"], part["whole"], part["intact"]) == (2, False, True)
    assert ada.post(f"{AUDIT}/verify", {"first": 6}).status_code == 422
    with running.database.write() as connection:
        connection.execute(text("UPDATE audit SET object_name = 'x' WHERE number = 3"))
    bad = ada.post(f"{AUDIT}/verify", {}).json()
    assert (bad["intact"], bad["broken"]["number"], bad["whole"]) == (False, 3, False)
    with running.database.write() as connection:
        connection.execute(text("UPDATE audit SET after = '{' WHERE number = 4"))
    assert ada.get(AUDIT).json()["items"][0]["after"] == "{"


def test_a_long_log_is_verified_in_parts(
    running: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("z4j_brain.api.audit.MAX_VERIFIED", 3)
    create_agent(running, ada)
    newest = ada.post(f"{AUDIT}/verify", {}).json()
    assert (newest["first"], newest["last"], newest["next"]) == (2, 4, None)
    first = ada.post(f"{AUDIT}/verify", {"first": 1}).json()
    assert (first["last"], first["next"], first["whole"]) == (3, 4, False)
    rest = ada.post(f"{AUDIT}/verify", {"first": first["next"]}).json()
    assert (rest["first"], rest["last"], rest["next"]) == (4, 4, None)
