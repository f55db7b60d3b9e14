"""API keys over HTTP: what they open, and everything that they must not."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select, update

from z4j_brain import clock
from z4j_brain.api.route import PUBLIC, SIGNED_IN
from z4j_brain.api.table import all_routes
from z4j_brain.auth.key_text import PREFIX
from z4j_brain.auth.policy import EVERY_PERMISSION, TABLE
from z4j_brain.store import projects
from z4j_brain.store.schema import api_keys

KEYS = "/keys"
AGENTS = "/projects/shop/agents"
READ = ["agent.read"]
MANAGE = ["agent.read", "agent.manage"]


def _make(browser: Any, scopes: list[str], **more: Any) -> str:
    answer = browser.post(KEYS, {"name": "ci", "scopes": scopes, "project": "shop", **more})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["key"]
    return key


def _use(
    running: Any, key: str, path: str = AGENTS, method: str = "GET", **more: Any
) -> httpx.Response:
    """Ask as a program does: no cookie, no origin, no CSRF token."""
    headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
    url = f"{running.url}/api/v1{path}"
    return httpx.request(method, url, headers=headers, timeout=20, verify=False, **more)


def _slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_a_key_reads_and_writes_without_cookie_origin_and_csrf_token(
    running: Any, ada: Any
) -> None:
    key = _make(ada, MANAGE)
    assert _use(running, key, method="POST", json={"name": "billing"}).status_code == 201
    assert [one["name"] for one in _use(running, key).json()["items"]] == ["billing"]
    assert _use(running, key, headers={"Origin": "https://elsewhere.example"}).status_code == 200


def test_it_is_shown_once_and_stored_as_a_hash(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    listed = ada.get(KEYS)
    [item] = listed.json()["items"]
    assert (item["name"], item["project"], item["scopes"]) == ("ci", "shop", READ)
    assert item["last_used_at"] is None
    assert key[len(PREFIX) + 22 :] not in listed.text
    with running.database.read() as connection:
        row = connection.execute(select(api_keys)).one()
    assert len(row.secret_hash) == 32
    assert key[len(PREFIX) + 22 :] not in str(row)
    assert ada.get("/projects/shop/keys").json()["items"] == [item]


def test_a_scope_that_it_lacks(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    answer = _use(running, key, method="POST", json={"name": "a"})
    assert _slug(answer) == (403, "key-scope-missing")
    assert "agent.manage" in answer.json()["detail"]
    assert _slug(_use(running, key, "/projects/shop/tasks")) == (403, "key-scope-missing")


def test_a_scope_that_belongs_to_the_action_of_a_command(running: Any, ada: Any) -> None:
    key = _make(ada, ["project.read", "command.retry"])
    body: dict[str, Any] = {"engine": "celery", "target": {}, "params": {}}
    path = "/projects/shop/commands"
    retry = _use(running, key, path, "POST", json={**body, "action": "retry"})
    assert retry.status_code in (409, 422)
    purge = _use(running, key, path, "POST", json={**body, "action": "purge"})
    assert _slug(purge) == (403, "key-scope-missing")


def test_every_route_with_a_permission_takes_a_key_and_no_other_does(
    running: Any, ada: Any
) -> None:
    everything = _make(ada, sorted(EVERY_PERMISSION), project=None)
    nothing = _make(ada, ["key.manage"], project=None)
    for one in all_routes():
        values = {name: str(uuid.UUID(int=7)) for name in one.path_types}
        path = one.path.format(project="shop", **values)
        answer = _use(running, everything, path, one.method)
        if one.permission == PUBLIC:
            continue
        if one.permission == SIGNED_IN:
            assert _slug(answer) == (403, "session-needed"), path
            continue
        assert answer.status_code not in (401, 403), path
        if one.permission != "key.manage":
            answer = _use(running, nothing, path, one.method)
            assert _slug(answer) == (403, "key-scope-missing"), path


def test_wrong_keys(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    other = _make(ada, READ)
    swapped = key[: len(PREFIX) + 20] + other[len(PREFIX) + 20 :]
    broken = key[:-1] + ("A" if key[-1] != "A" else "B")
    for wrong in (broken, key[:-1], key + "A", swapped, PREFIX, PREFIX + "x" * 5_000):
        answer = _use(running, wrong)
        assert _slug(answer) == (401, "key-invalid"), wrong
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert wrong not in answer.text
    assert _use(running, key).status_code == 200


def test_another_secret_of_the_same_key_is_refused(running: Any, ada: Any) -> None:
    from z4j_brain.auth.key_text import KeyText, parse

    parsed = parse(_make(ada, READ))
    assert parsed is not None
    forged = KeyText(parsed.key_id, bytes(32)).text()
    assert _slug(_use(running, forged)) == (401, "key-invalid")


def test_other_bearers_are_none_of_ours(running: Any, ada: Any) -> None:
    minted = ada.post(AGENTS, {"name": "a"}).json()["token"]
    for value in (minted, "abc", "z4j_"):
        assert _slug(_use(running, value)) == (401, "sign-in-required")


def test_a_cookie_never_helps_a_key(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    broken = {"Authorization": f"Bearer {key[:-2]}"}
    assert _slug(ada.http.get(AGENTS, headers=broken)) == (401, "key-invalid")
    narrow = {"Authorization": f"Bearer {key}"}
    answer = ada.post(AGENTS, {"name": "a"}, headers=narrow)
    assert _slug(answer) == (403, "key-scope-missing")


def test_a_key_in_the_address_is_refused_whatever_else_is_right(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    for query in (f"key={key}", f"cursor={key}", "q=" + key.replace("_", "%5F")):
        for answer in (ada.http.get(f"{AGENTS}?{query}"), _use(running, key, f"{AGENTS}?{query}")):
            assert _slug(answer) == (400, "key-in-url")
            assert key not in answer.text
    assert _slug(ada.get(f"/projects/{key}/agents")) == (400, "key-in-url")
    assert _slug(running.browser().get(f"/session?k={key}")) == (400, "key-in-url")


def test_an_expired_key(running: Any, ada: Any) -> None:
    key = _make(ada, READ, expires_days=1)
    with running.database.write() as connection:
        connection.execute(update(api_keys).values(expires_at=clock.now()))
    answer = _use(running, key)
    assert _slug(answer) == (401, "key-invalid")
    assert "expired" in answer.json()["detail"]


def test_a_revoked_key(running: Any, ada: Any) -> None:
    own, of_project = _make(ada, READ), _make(ada, READ)
    [second, first] = [item["id"] for item in ada.get(KEYS).json()["items"]]
    bob = running.member("admin")
    assert bob.delete(f"{KEYS}/{first}").status_code == 404, "it is not theirs"
    assert ada.delete(f"{KEYS}/{first}").status_code == 204
    assert ada.delete(f"{KEYS}/{first}").status_code == 404
    assert bob.delete(f"/projects/shop/keys/{second}").status_code == 204
    for key in (own, of_project):
        assert _slug(_use(running, key)) == (401, "key-invalid")
    assert ada.get(KEYS).json()["items"] == []


def test_another_project_is_like_none(running: Any, ada: Any) -> None:
    with running.database.write() as connection:
        projects.create(connection, name="Other", now=clock.now())
    key = _make(ada, READ)
    hidden, missing = (_use(running, key, f"/projects/{name}/agents") for name in ("other", "none"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    free = _make(ada, READ, project=None)
    assert _use(running, free, "/projects/other/agents").status_code == 200
    [item] = [one for one in ada.get(KEYS).json()["items"] if one["project"] is None]
    assert ada.delete(f"/projects/shop/keys/{item['id']}").status_code == 404


def test_a_key_reaches_as_far_as_its_owner_now(running: Any, ada: Any) -> None:
    bob = running.member("admin")
    bound, free = _make(bob, MANAGE), _make(bob, MANAGE, project=None)
    bob_id = bob.get("/session").json()["user"]["id"]
    member = f"/projects/shop/members/{bob_id}"
    assert ada.put(member, {"role": "viewer"}).status_code == 200
    for key in (bound, free):
        assert _use(running, key).status_code == 200
        answer = _use(running, key, method="POST", json={"name": "a"})
        assert _slug(answer) == (403, "permission-missing")
    assert ada.delete(member).status_code == 204
    for key in (bound, free):
        assert _slug(_use(running, key)) == (404, "not-found")
    assert ada.put(f"/instance/users/{bob_id}", {"disabled": True}).status_code == 200
    for key in (bound, free):
        assert _slug(_use(running, key)) == (401, "key-invalid")


def test_nobody_makes_a_key_that_may_more_than_they(running: Any, ada: Any) -> None:
    bob = running.member("viewer")
    for form, pointer in [
        ({"scopes": MANAGE}, "/scopes"),
        ({"scopes": ["instance.read"], "project": None}, "/scopes"),
        ({"scopes": ["agent.reed"]}, "/scopes"),
        ({"scopes": READ, "project": "other"}, "/project"),
        ({"scopes": READ, "networks": ["192.0.2.1/24"]}, "/networks"),
        ({"scopes": READ, "networks": ["example.org"]}, "/networks"),
    ]:
        answer = bob.post(KEYS, {"name": "x", "project": "shop", **form})
        assert answer.status_code == 422, form
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert ada.post(KEYS, {"name": "x", "scopes": ["instance.read"], "project": "shop"}).is_error
    assert bob.post(KEYS, {"name": "x", "scopes": [], "project": "shop"}).status_code == 422
    assert bob.get(KEYS).json()["items"] == []


def test_a_key_makes_no_keys(running: Any, ada: Any) -> None:
    key = _make(ada, sorted(TABLE))
    answer = _use(running, key, KEYS, "POST", json={"name": "x", "scopes": READ})
    assert _slug(answer) == (403, "session-needed")


@pytest.mark.parametrize("networks", [["192.0.2.0/24"], ["127.0.0.0/8", "192.0.2.1"]])
def test_addresses(start: Any, networks: list[str]) -> None:
    with start(trusted_proxies="127.0.0.1") as running:
        ada = running.set_up()
        key = _make(ada, READ, networks=networks)

        def answer(address: str) -> httpx.Response:
            return _use(running, key, headers={"X-Forwarded-For": address})

        assert answer("192.0.2.1").status_code == 200
        refused = answer("198.51.100.1")
        assert _slug(refused) == (403, "key-address-refused")
        assert "198.51.100.1" in refused.json()["detail"]
        lying = _use(running, key, headers={"X-Forwarded-For": "192.0.2.1, 198.51.100.1"})
        assert _slug(lying) == (403, "key-address-refused")
        [item] = ada.get(KEYS).json()["items"]
        assert item["last_address"] == "192.0.2.1", "a refused use is none"


def test_the_last_use_is_written_once_a_minute(running: Any, ada: Any) -> None:
    key = _make(ada, READ)
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE api_keys"):
            written.append(statement)

    event.listen(running.brain.database.engine, "before_cursor_execute", note)
    for _ in range(3):
        assert _use(running, key).status_code == 200
    assert len(written) == 1
    [item] = ada.get(KEYS).json()["items"]
    assert item["last_address"] == "127.0.0.1"
    with running.database.write() as connection:
        connection.execute(update(api_keys).values(last_used_at=clock.now() - 61_000_000))
    assert _use(running, key).status_code == 200
    assert len(written) == 2
