"""The audit log over HTTP: what every unsafe route writes, who reads it, the verify button."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, text

from services.authenticator import Authenticator
from z4j_brain import clock
from z4j_brain.api.route import SAFE
from z4j_brain.api.table import all_routes
from z4j_brain.auth.totp import code_at, step_at
from z4j_brain.keys import Keys
from z4j_brain.store import oidc_identities, users
from z4j_brain.store.schema import audit, issues, tasks, workers
from z4j_brain.store.types import new_id
from z4j_core.frames import ActionInfo, EngineInfo

AUDIT = "/projects/shop/audit"
AGENTS = "/projects/shop/agents"
BULK_RUNS = "/projects/shop/bulk-runs"
INVITATIONS = "/projects/shop/invitations"
ADA, BOB = "ada@example.org", "bob@example.org"
SECRET = re.compile(r"z4j_[\w-]{20,}|[\w-]{43}")
"""The look of what is shown once: keys, agent tokens, and the tokens of links."""
FACTOR = "/account/second-factor"
PASSKEYS = "/account/passkeys"
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
    made = _worker(running, ada, ActionInfo("forget", "engine"))
    params = {"password": "hunter2", "days": 3}
    answer = ada.post(
        "/projects/shop/commands", {"action": "forget", "engine": "celery", "params": params}
    )
    assert answer.status_code == 202, answer.text
    return [*made, "command.forget"]


def create_bulk_run(running: Any, ada: Any) -> list[str]:
    made = _worker(running, ada, ActionInfo("retry", "task", states=["failed"]))
    with running.database.write() as connection:
        at = {name: clock.now() for name in ("state_at", "first_at", "last_at", "ended_at")}
        words = {"engine": "celery", "task_id": "t1", "state": "failed", "name": "shop.pay"}
        values = {"project_id": _project(connection), "state_rank": 6, "attempt": 0}
        connection.execute(insert(tasks).values(**values, **words, **at))
    asked = {"action": "retry", "engine": "celery", "filter": "state:failed"}
    answer = ada.post(BULK_RUNS, asked)
    assert answer.status_code == 202, answer.text
    return [*made, "bulk_run.made"]


def take_bulk_step(running: Any, ada: Any) -> list[str]:
    made = create_bulk_run(running, ada)
    while (run := ada.get(BULK_RUNS).json()["items"][0])["state"] == "preparing":
        time.sleep(0.02)
    for status in (200, 409):
        answer = ada.post(f"{BULK_RUNS}/{run['id']}/steps", {"step": "pause"})
        assert answer.status_code == status, answer.text
    return [*made, "bulk_run.pause"]


def _worker(running: Any, ada: Any, action: ActionInfo) -> list[str]:
    """Make an agent with a worker that offers an action, and has no link."""
    made = create_agent(running, ada)
    engines = [EngineInfo("celery", "5", [action])]
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
    return made


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


def rotate_token(running: Any, ada: Any) -> list[str]:
    made = create_agent(running, ada)
    agent = _agent(ada)
    path = f"{AGENTS}/{agent['id']}/tokens/{agent['tokens'][0]['id']}/rotate"
    assert ada.post(path, {"overlap_hours": 2}).status_code == 201
    return [*made, "agent.token_rotated"]


def change_member_role(running: Any, ada: Any) -> list[str]:
    path = _bob(running, ada)
    for role in ("operator", "operator"):
        assert ada.put(path, {"role": role}).status_code == 200
    return ["session.opened", "member.role_changed"]


def remove_member(running: Any, ada: Any) -> list[str]:
    assert ada.delete(_bob(running, ada)).status_code == 204
    return ["session.opened", "member.removed"]


def invite_member(running: Any, ada: Any) -> list[str]:
    for _ in range(2):
        _invite(ada)
    return ["invitation.made", "invitation.made"]


def withdraw_invitation(running: Any, ada: Any) -> list[str]:
    path = f"{INVITATIONS}/{_invite(ada)['id']}"
    assert [ada.delete(path).status_code for _ in range(2)] == [204, 404]
    return ["invitation.made", "invitation.revoked"]


def accept_invitation(running: Any, ada: Any) -> list[str]:
    token, bob = _token(_invite(ada)), running.member(None)
    for status in (200, 403):
        assert bob.post("/invitations/accept", {"token": token}).status_code == status
    return ["invitation.made", "session.opened", "invitation.accepted", "member.added"]


def sign_up(running: Any, ada: Any) -> list[str]:
    form = {"token": _token(_invite(ada)), "name": "Bob", "password": "correct horse battery"}
    assert running.browser().post("/invitations/sign-up", form).status_code == 201
    entered = ["user.created", "session.opened", "invitation.accepted", "member.added"]
    return ["invitation.made", *entered]


def change_user(running: Any, ada: Any) -> list[str]:
    path = "/instance/users/" + _bob(running, ada).rpartition("/")[2]
    for disabled in (True, True, False):
        assert ada.put(path, {"disabled": disabled}).status_code == 200
    return ["session.opened", "user.disabled", "user.enabled"]


def create_project(running: Any, ada: Any) -> list[str]:
    for status in (201, 409):
        assert ada.post("/instance/projects", {"name": "Depot"}).status_code == status
    return ["project.created", "member.added"]


def rename_project(running: Any, ada: Any) -> list[str]:
    for name in ("Depot", " Depot "):
        assert ada.patch("/projects/shop", {"name": name}).status_code == 200
    return ["project.renamed"]


def create_key(running: Any, ada: Any) -> list[str]:
    _key(ada)
    return ["key.made"]


def revoke_own_key(running: Any, ada: Any) -> list[str]:
    path = f"/keys/{_key(ada, project=None)['id']}"
    assert [ada.delete(path).status_code for _ in range(2)] == [204, 404]
    return ["key.made", "key.revoked"]


def revoke_project_key(running: Any, ada: Any) -> list[str]:
    path = f"/projects/shop/keys/{_key(ada)['id']}"
    assert [ada.delete(path).status_code for _ in range(2)] == [204, 404]
    return ["key.made", "key.revoked"]


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


def add_passkey(running: Any, ada: Any) -> list[str]:
    _passkey(running)
    return ["session.opened", "passkey.added"]


def remove_passkey(running: Any, ada: Any) -> list[str]:
    browser, _ = _passkey(running)
    (made,) = browser.get(PASSKEYS).json()["items"]
    answer = browser.post(f"{PASSKEYS}/{made['id']}/remove", {"password": PASSWORD})
    assert answer.status_code == 204
    return ["session.opened", "passkey.added", "passkey.removed"]


def sign_in_by_passkey(running: Any, ada: Any) -> list[str]:
    _, device = _passkey(running)
    browser = running.browser()
    options = browser.post("/sign-in/passkey/options", {}).json()
    browser.enter(browser.post("/sign-in/passkey", {"credential": device.sign(options)}))
    return ["session.opened", "passkey.added", "session.opened"]


def unlink_oidc(running: Any, ada: Any) -> list[str]:
    with running.database.write() as connection:
        account = users.find_account(connection, ADA)
        oidc_identities.create(connection, "https://id", "sub", account.user.id, clock.now())
    answers = [ada.post("/account/oidc/off", {"password": PASSWORD}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 409]
    return ["identity.unlinked"]


SCENES: dict[str, Scene] = {
    "add_passkey": add_passkey,
    "remove_passkey": remove_passkey,
    "sign_in_by_passkey": sign_in_by_passkey,
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
    "unlink_oidc": unlink_oidc,
    "create_agent": create_agent,
    "mint_token": mint_token,
    "revoke_agent": revoke_agent,
    "revoke_token": revoke_token,
    "create_command": create_command,
    "create_bulk_run": create_bulk_run,
    "take_bulk_step": take_bulk_step,
    "decide_issue": decide_issue,
    "replace_redaction": replace_redaction,
    "rotate_token": rotate_token,
    "change_member_role": change_member_role,
    "remove_member": remove_member,
    "invite_member": invite_member,
    "withdraw_invitation": withdraw_invitation,
    "accept_invitation": accept_invitation,
    "sign_up": sign_up,
    "change_user": change_user,
    "create_project": create_project,
    "rename_project": rename_project,
    "create_key": create_key,
    "revoke_own_key": revoke_own_key,
    "revoke_project_key": revoke_project_key,
}
"""By the name of the handler."""
BY_BOB = {"accept_invitation", "sign_up"}
"""The scenes that end with what somebody else than Ada does."""
EXCEPTIONS = {
    "complete_setup": "it needs an instance without anybody: test_the_first_rows_are_of_the_set_up",
    "verify_audit": "it reads, and changes nothing",
    "verify_instance_audit": "it reads, and changes nothing",
    "estimate_bulk_run": "it reads, and changes nothing",
    "preview_redaction": "it stores nothing",
    "check_invitation": "it reads, and changes nothing",
    "begin_passkey": "it stores nothing; a wrong password is told",
    "begin_passkey_sign_in": "it stores nothing",
    "begin_oidc_sign_in": "nothing has changed; test_oidc_accounts.py reads what comes of it",
    "begin_oidc_link": "nothing has changed; test_oidc_accounts.py reads what comes of it",
}


def _app(ada: Any) -> bytes:
    """Begin a second step, and return the secret of the app."""
    begun = ada.post(FACTOR, {"password": PASSWORD})
    assert begun.status_code == 201, begun.text
    return base64.b32decode(begun.json()["secret"])


def _passkey(running: Any) -> tuple[Any, Authenticator]:
    """Add a passkey as Ada, in a browser that knows the server by name."""
    running.url = running.url.replace("127.0.0.1", "localhost")
    browser, device = running.browser(), Authenticator(running.url)
    browser.sign_in()
    options = browser.post(f"{PASSKEYS}/options", {"password": PASSWORD}).json()
    form = {"name": "Laptop", "credential": device.make(options)}
    assert browser.post(PASSKEYS, form).status_code == 201
    return browser, device


def _agent(ada: Any) -> Any:
    return ada.get(AGENTS).json()["items"][0]


def _bob(running: Any, ada: Any) -> str:
    """Make Bob a viewer and return the address of his membership."""
    running.member("viewer")
    items = ada.get("/projects/shop/members").json()["items"]
    ids = {item["email"]: item["user_id"] for item in items}
    return f"/projects/shop/members/{ids[BOB]}"


def _invite(ada: Any) -> Any:
    answer = ada.post(INVITATIONS, {"email": BOB, "role": "operator"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _token(made: Any) -> str:
    token = str(made["url"].partition("#")[2])
    assert SECRET.fullmatch(token)
    return token


def _key(ada: Any, project: str | None = "shop", *scopes: str) -> Any:
    form = {"name": "nightly", "project": project, "scopes": scopes or ["task.read"]}
    answer = ada.post("/keys", form)
    assert answer.status_code == 201, answer.text
    assert SECRET.match(answer.json()["key"])
    return answer.json()


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
    rows = [row for row in _log(running)[before:] if row.action != "audit.begun"]
    assert [row.action for row in rows] == wanted  # a project's log begins by itself
    assert {row.actor_name for row in rows} <= {ADA, BOB}
    assert rows[-1].actor_name == (BOB if name in BY_BOB else ADA)
    for row in rows:
        assert row.actor_kind == "person"
        assert row.address == "127.0.0.1"
        assert re.fullmatch("[0-9a-f]{16}", row.request_id)
        assert row.object_name
        told = "\n".join(str(value) for value in row if isinstance(value, str))
        assert "hunter2" not in told
        assert not SECRET.search(told)
        assert PASSWORD not in told


def test_the_first_rows_are_of_the_set_up(running: Any, ada: Any) -> None:
    told = [(row.action, row.object_name) for row in _log(running)]
    assert sorted(told) == [
        ("audit.begun", ""),
        ("member.added", "ada@example.org"),
        ("project.created", "shop"),
        ("session.opened", "ada@example.org"),
        ("user.created", "ada@example.org"),
    ]


def test_a_row_tells_the_state_before_and_after(running: Any, ada: Any) -> None:
    for scene in (rotate_token, change_member_role, create_key):
        scene(running, ada)
    told = {row.action: row for row in _log(running)}
    changed = told["member.role_changed"]
    assert (changed.object_name, changed.before, changed.after) == (
        BOB,
        '{"role":"viewer"}',
        '{"role":"operator"}',
    )
    rotated, agent = told["agent.token_rotated"], _agent(ada)
    former, fresh = agent["tokens"]
    end = json.loads(rotated.before)
    assert end.pop("works_until").replace("+00:00", "Z") == former["expires_at"]
    assert end == {"id": former["id"]}
    assert json.loads(rotated.after) == {"id": fresh["id"]}
    made = json.loads(told["key.made"].after)
    assert (made["made_by"], made["scopes"], made["networks"]) == (ADA, ["task.read"], [])


def test_what_a_key_does_is_told_of_the_key_and_its_owner(running: Any, ada: Any) -> None:
    made = _key(ada, "shop", "agent.manage")
    by_key = running.browser({"Authorization": f"Bearer {made['key']}"})
    assert by_key.post(AGENTS, {"name": "billing"}).status_code == 201
    row = next(row for row in _log(running) if row.action == "agent.token_minted")
    assert (row.actor_kind, row.actor_id, row.actor_name) == ("key", made["id"], "nightly")
    owner = json.loads(row.after)["owner"]
    assert (owner["name"], owner["id"]) == (ADA, ada.get("/session").json()["user"]["id"])
    assert row.address == "127.0.0.1"
    assert made["key"] not in repr(row)
    assert ada.post(f"{AUDIT}/verify", {}).json()["intact"]


def test_a_key_is_told_of_in_its_project_or_else_in_the_instance(running: Any, ada: Any) -> None:
    _key(ada, None)
    assert ada.get(AUDIT, action="key").json()["count"] == 0
    _key(ada, "shop")
    assert ada.get(AUDIT, action="key").json()["count"] == 1


def test_what_is_refused_leaves_no_row(running: Any, ada: Any) -> None:
    create_agent(running, ada)
    before = len(_log(running))
    nobody = uuid.UUID(int=5)
    assert ada.post(AGENTS, {"name": "billing"}).status_code == 409
    assert ada.delete(f"{AGENTS}/{nobody}").status_code == 404
    assert ada.post(f"{AGENTS}/{nobody}/tokens").status_code == 404
    members = "/projects/shop/members"
    me = ada.get(members).json()["items"][0]["user_id"]
    assert ada.put(f"{members}/{me}", {"role": "viewer"}).status_code == 409
    assert ada.delete(f"{members}/{me}").status_code == 409
    assert ada.put(f"/instance/users/{me}", {"disabled": True}).status_code == 409
    assert ada.post(INVITATIONS, {"email": ADA, "role": "viewer"}).status_code == 409
    assert ada.delete(f"/keys/{nobody}").status_code == 404
    token = _agent(ada)["tokens"][0]["id"]
    rotated = f"{AGENTS}/{_agent(ada)['id']}/tokens/{nobody}/rotate"
    assert ada.post(rotated, {}).status_code == 404
    assert ada.post(rotated.replace(str(nobody), token), {"overlap_hours": -1}).status_code == 422
    assert ada.delete(f"/account/sessions/{nobody}").status_code == 404
    assert ada.delete("/account/sessions").json() == {"ended": 0}
    wrong = {"current_password": "wrong", "new_password": "tulip anvil quarry mist"}
    assert ada.post("/account/password", wrong).status_code == 422
    assert ada.post(FACTOR, {"password": "wrong"}).status_code == 422
    assert ada.post(f"{FACTOR}/confirm", {"code": "123456"}).status_code == 409
    removal = f"{PASSKEYS}/{nobody}/remove"
    assert ada.post(removal, {"password": PASSWORD}).status_code == 404
    for path in (f"{FACTOR}/off", "/account/recovery-codes"):
        assert ada.post(path, {"password": PASSWORD}).status_code == 409
    decision = {"decision": "muted"}
    assert ada.post("/projects/shop/issues/zz/decisions", decision).status_code == 404
    told = [row.action for row in _log(running)[before:]]
    assert told == ["password.refused"] * 2, "and a wrong password of one's own is told as that"


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
    assert good.pop("pruned", "") is None
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


def test_the_log_of_the_instance_is_for_its_administrators(running: Any, ada: Any) -> None:
    whole = ada.get("/instance/audit").json()
    actions = {one["action"] for one in whole["items"]}
    assert {"audit.begun", "session.opened", "user.created"} <= actions
    assert ada.get("/instance/audit", action="user").json()["count"] == 1
    good = ada.post("/instance/audit/verify", {}).json()
    assert (good["intact"], good["whole"], good["rows"]) == (True, True, whole["count"])
    with running.database.write() as connection:
        connection.execute(text("UPDATE audit SET address = '::2' WHERE action = 'user.created'"))
    assert not ada.post("/instance/audit/verify", {}).json()["intact"]
    bob = running.member("admin")
    assert bob.get("/instance/audit").status_code == 403
    assert bob.post("/instance/audit/verify", {}).status_code == 403


def test_the_route_verifies_rows_under_a_former_secret(running: Any, ada: Any) -> None:
    create_agent(running, ada)
    old, brain = running.brain.keys, running.brain
    assert ada.post(f"{AUDIT}/verify", {}).json()["whole"]
    brain.keys = Keys(b"n" * 40, old.session, former=(old.master,))
    mint_token_again = ada.post(f"{AGENTS}/{_agent(ada)['id']}/tokens")
    assert mint_token_again.status_code == 201, mint_token_again.text
    found = ada.post(f"{AUDIT}/verify", {}).json()
    assert (found["intact"], found["whole"], found["rows"]) == (True, True, 6)
    brain.keys = Keys(b"n" * 40, old.session)
    found = ada.post(f"{AUDIT}/verify", {}).json()
    assert "another Z4J_SECRET" in found["broken"]["reason"]


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
