"""Agents and tokens over HTTP: shown once, stored as a hash, revoked one by one."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from z4j_brain import clock
from z4j_brain.api.agents import HOUR_US
from z4j_brain.api.times import rfc3339
from z4j_brain.store import agent_tokens
from z4j_brain.store.schema import agent_tokens as tokens
from z4j_brain.store.schema import events, tasks, workers
from z4j_brain.store.types import new_id
from z4j_core.credential import parse_token

AGENTS = "/projects/shop/agents"


def _mint(browser: Any, name: str = "billing") -> Any:
    answer = browser.post(AGENTS, {"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _dial(running: Any, token: str) -> int:
    """Return the HTTP status with which the agents' endpoint answers this token."""
    url = running.url.replace("http", "ws") + "/ws"
    bearer = {"Authorization": f"Bearer {parse_token(token).bearer()}"}
    try:
        with connect(url, subprotocols=["z4j.1"], additional_headers=bearer, proxy=None):  # type: ignore[list-item]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_token_is_shown_once_and_stored_as_a_hash(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    credential = parse_token(minted["token"])
    assert str(credential.agent_id) == minted["agent"]["id"]
    listed = ada.get(AGENTS)
    assert minted["token"] not in listed.text
    with running.database.read() as connection:
        row = connection.execute(select(tokens)).one()
        found = agent_tokens.find_token(
            connection, credential.agent_id, running.brain.keys.token_hash(credential.secret)
        )
    assert found is not None
    assert (found.project_slug, found.revoked_at) == ("shop", None)
    assert bytes(row.secret_hash) != credential.secret
    assert running.brain.keys.signing_key(found.project_id, found.agent_id, found.token_id) == (
        credential.signing_key
    )


def test_a_page_of_agents_goes_on_where_it_ended(running: Any, ada: Any) -> None:
    names = ["delta", "alpha", "echo", "bravo", "charlie"]
    for name in names:
        _mint(ada, name)
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = ada.get(AGENTS, limit=2, cursor=cursor).json()
        seen += [agent["name"] for agent in page["items"]]
        assert (page["count"], page["count_capped"]) == (5, False)
        cursor = page["next"] or ""
    assert seen == sorted(names)
    assert cursor == ""
    for wrong in ("%", "_w", "AA"):
        answer = ada.get(AGENTS, cursor=wrong)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "?cursor"


def test_a_name_is_used_once_in_a_project(running: Any, ada: Any) -> None:
    _mint(ada)
    answer = ada.post(AGENTS, {"name": " billing "})
    assert answer.status_code == 409
    assert "further token" in answer.json()["detail"]


def test_revoking_one_token_leaves_the_other(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    agent = f"{AGENTS}/{minted['agent']['id']}"
    further = ada.post(f"{agent}/tokens", {}).json()
    first_id = minted["agent"]["tokens"][0]["id"]
    assert _dial(running, minted["token"]) == 101
    assert ada.delete(f"{agent}/tokens/{first_id}").status_code == 204
    assert ada.delete(f"{agent}/tokens/{first_id}").status_code == 204, "it may be asked twice"
    assert _dial(running, minted["token"]) == 401
    assert _dial(running, further["token"]) == 101
    by_id = {one["id"]: one for one in ada.get(AGENTS).json()["items"][0]["tokens"]}
    assert by_id[first_id]["revoked_at"] is not None
    assert by_id[further["token_id"]]["revoked_at"] is None


def test_rotating_a_token_leaves_the_old_one_for_a_while(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    tokens = f"{AGENTS}/{minted['agent']['id']}/tokens"
    old = f"{tokens}/{minted['agent']['tokens'][0]['id']}"
    before = clock.now()
    fresh = ada.post(f"{old}/rotate", {"overlap_hours": 2}).json()
    assert [_dial(running, one["token"]) for one in (minted, fresh)] == [101, 101]
    [first, second] = ada.get(AGENTS).json()["items"][0]["tokens"]
    assert (
        rfc3339(before + 2 * HOUR_US) <= first["expires_at"] <= rfc3339(clock.now() + 2 * HOUR_US)
    )
    assert (second["id"], second["expires_at"]) == (fresh["token_id"], None)
    assert ada.post(f"{old}/rotate", {"overlap_hours": 720}).status_code == 201
    [again, *_] = ada.get(AGENTS).json()["items"][0]["tokens"]
    assert again["expires_at"] == first["expires_at"], "a set end only comes nearer"
    assert ada.post(f"{old}/rotate", {"overlap_hours": 0}).status_code == 201
    assert _dial(running, minted["token"]) == 401
    assert _dial(running, fresh["token"]) == 101


def test_only_a_token_in_force_is_rotated(running: Any, ada: Any) -> None:
    minted, other = _mint(ada), _mint(ada, "other")
    agent = f"{AGENTS}/{minted['agent']['id']}"
    token_id = minted["agent"]["tokens"][0]["id"]
    elsewhere = other["agent"]["tokens"][0]["id"]
    for path in (f"{agent}/tokens/{elsewhere}", f"{agent}/tokens/{uuid.uuid4()}"):
        assert ada.post(f"{path}/rotate", {}).status_code == 404
    assert ada.post(f"{agent}/tokens/{token_id}/rotate", {"overlap_hours": 721}).status_code == 422
    assert ada.delete(f"{agent}/tokens/{token_id}").status_code == 204
    assert ada.post(f"{agent}/tokens/{token_id}/rotate", {}).status_code == 404
    assert len(ada.get(AGENTS).json()["items"][0]["tokens"]) == 1, "nothing was left behind"


def test_revoking_an_agent_ends_every_token_and_live_link(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    agent = f"{AGENTS}/{minted['agent']['id']}"
    further = ada.post(f"{agent}/tokens").json()
    url = running.url.replace("http", "ws") + "/ws"
    bearer = {"Authorization": f"Bearer {parse_token(further['token']).bearer()}"}
    with connect(url, subprotocols=["z4j.1"], additional_headers=bearer, proxy=None) as link:  # type: ignore[list-item]
        assert ada.delete(agent).status_code == 204
        with pytest.raises(Exception, match=r"4401|revoked"):
            link.recv(timeout=60)
    assert [_dial(running, one["token"]) for one in (minted, further)] == [401, 401]
    assert ada.post(f"{agent}/tokens").status_code == 409
    assert ada.get(AGENTS).json()["items"][0]["revoked_at"] is not None


def test_ids_of_elsewhere_are_not_found(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    other = _mint(ada, "other")
    agent = f"{AGENTS}/{minted['agent']['id']}"
    for path in (
        f"{AGENTS}/{uuid.uuid4()}",
        f"{AGENTS}/no-uuid",
        f"{agent}/tokens/{other['agent']['tokens'][0]['id']}",
        f"{agent}/tokens/{uuid.uuid4()}",
    ):
        answer: httpx.Response = ada.delete(path)
        assert answer.status_code == 404, path
    assert _dial(running, other["token"]) == 101


def test_the_first_task_and_the_workers_are_shown(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    _mint(ada, "silent")
    agent_id, now = uuid.UUID(minted["agent"]["id"]), clock.now()
    row = new_id()
    with running.database.write() as connection:
        project_id = connection.execute(select(tokens.c.agent_id)).first() and (
            agent_tokens.owner(connection, uuid.UUID(minted["agent"]["tokens"][0]["id"]))
        )
        assert project_id is not None
        project = project_id[1]
        connection.execute(
            insert(workers).values(
                id=row,
                project_id=project,
                agent_id=agent_id,
                worker_id="w1",
                epoch="e",
                engines=[],
                plugin_errors=[],
                online=True,
                first_seen=now,
                last_seen=now,
            )
        )
        for index, worker_row in enumerate([new_id(), row, row]):
            task = {"project_id": project, "engine": "celery", "task_id": f"t{index}"}
            connection.execute(
                insert(tasks).values(
                    **task,
                    state="queued",
                    state_rank=0,
                    state_at=now,
                    attempt=1,
                    first_at=now + index,
                    last_at=now + index,
                )
            )
            connection.execute(
                insert(events).values(
                    **task,
                    received_at=now,
                    occurred_at=now,
                    worker_row=worker_row,
                    kind="published",
                    attempt=1,
                    payload="{}",
                )
            )
    billing, silent = ada.get(AGENTS).json()["items"]
    assert billing["workers_online"] == 1
    assert billing["first_task"] == {"engine": "celery", "task_id": "t1"}
    assert (silent["workers_online"], silent["first_task"]) == (0, None)


def test_the_last_use_of_a_token_is_shown(running: Any, ada: Any) -> None:
    minted = _mint(ada)
    token_id = uuid.UUID(minted["agent"]["tokens"][0]["id"])
    at = 1_700_000_000_123_456
    with running.database.write() as connection:
        agent_tokens.touch_token(connection, token_id, at, "192.0.2.7")
        agent_tokens.touch_token(connection, token_id, at + 1_000_000, "192.0.2.7")
        agent_tokens.touch_token(connection, token_id, at + 2_000_000, "192.0.2.8")
    agent = ada.get(AGENTS).json()["items"][0]
    assert agent["last_used_at"] == "2023-11-14T22:13:22.123456Z"
    assert agent["tokens"][0]["last_address"] == "192.0.2.8"
