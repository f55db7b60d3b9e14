"""Who must not get in does not, is told why, and leaves nothing behind."""

from __future__ import annotations

import httpx
import pytest

from server import EMAIL, PROJECT, Client, Server
from z4j_core.credential import parse_token


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture(scope="module")
def client(shared_client: Client) -> Client:
    return shared_client


def test_a_setup_url_works_once(client: Client, server: Server) -> None:
    token = server.setup_token()
    body = {"token": token, "email": "eve@example.org", "name": "Eve", "password": "x" * 20}
    answer = client.http.post("/setup", json={**body, "project_name": "eve"})
    assert answer.status_code in (401, 403, 404, 409, 422)
    assert [project["slug"] for project in client.get("/session")["projects"]] == [PROJECT]


def test_without_a_session_nothing_is_shown(client: Client, server: Server) -> None:
    for path in ("/tasks", "/overview", "/workers", "/agents", "/commands"):
        answer = httpx.get(f"{server.url}/api/v1/projects/{PROJECT}{path}")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_of_another_site_is_refused(client: Client) -> None:
    path = f"/projects/{PROJECT}/agents"
    foreign = client.http.post(path, json={"name": "x"}, headers={"Origin": "https://evil.example"})
    bare = client.http.post(path, json={"name": "x"}, headers={"X-CSRF-Token": "wrong"})
    assert (foreign.status_code, bare.status_code) == (403, 403)
    assert "x" not in [agent["name"] for agent in client.project("/agents")["items"]]


def test_a_wrong_password_is_refused(client: Client, server: Server) -> None:
    answer = httpx.post(
        f"{server.url}/api/v1/sign-in",
        json={"email": EMAIL, "password": "not it at all"},
        headers={"Origin": server.url},
    )
    assert answer.status_code == 401
    assert "z4j_session" not in answer.cookies


def test_a_revoked_token_is_refused(client: Client, server: Server) -> None:
    token = client.mint("gone")
    [agent] = client.project("/agents")["items"]
    answer = client.http.delete(f"/projects/{PROJECT}/agents/{agent['id']}")
    assert answer.status_code == 204
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "z4j.1",
        "Authorization": f"Bearer {parse_token(token).bearer()}",
    }
    refused = httpx.get(f"{server.url}/ws", headers=upgrade)
    assert refused.status_code in (401, 403)
    assert client.project("/workers")["items"] == []
