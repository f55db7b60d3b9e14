"""Hostile and broken requests get a plain refusal, and the server goes on."""

from __future__ import annotations

import gzip
import socket
import uuid
from typing import Any
from urllib.parse import urlsplit

from z4j_brain.api.context import Call
from z4j_brain.api.route import PUBLIC, route
from z4j_brain.api.router import Router
from z4j_brain.api.table import all_routes

AGENTS = "/projects/shop/agents"
JSON = {"Content-Type": "application/json"}


def _post(browser: Any, content: bytes, **headers: str) -> Any:
    return browser.http.post(AGENTS, content=content, headers={**JSON, **headers})


def _raw(url: str, request: bytes) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 10) as connection:
        connection.sendall(request)
        connection.settimeout(60)
        return connection.recv(65536)


def _whole(url: str, request: bytes) -> bytes:
    """Return all of an answer after which the server closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_bodies_that_are_no_json_are_422(running: Any, ada: Any) -> None:
    for content in [b"", b"{", b"\xff\xfe", b'{"name": "a"}x', b'{"name": NaN}', b"[" * 60_000]:
        answer = _post(ada, content)
        assert answer.status_code == 422, content[:20]
        assert answer.json()["type"] == "/problems/invalid-input"


def test_deep_json_is_refused_wherever_it_stands(running: Any, ada: Any) -> None:
    deep = b"[" * 50_000 + b"]" * 50_000
    for content in [deep, b'{"name": ' + deep + b"}", b'{"stranger": ' + deep + b', "name": "a"}']:
        assert _post(ada, content).status_code == 422
    assert ada.get(AGENTS).json()["count"] == 0


def test_text_that_the_database_cannot_hold_is_refused(running: Any, ada: Any) -> None:
    for content in [rb'{"name": "a\u0000b"}', rb'{"name": "\ud800"}', b'{"name": "\xed\xa0\x80"}']:
        assert _post(ada, content).status_code == 422, content
    for path in [f"{AGENTS}?cursor=%00", f"{AGENTS}?limit=%00", f"{AGENTS}?%00=1"]:
        assert ada.get(path).status_code == 422, path
    for path in ["/projects/sh%00op/agents", "/projects/shop/tasks/celery/a%00b", "/%00"]:
        assert ada.get(path).status_code == 404, path


def test_a_large_body_is_refused_before_it_is_read(running: Any, ada: Any) -> None:
    body = b'{"name": "' + b"x" * 300_000 + b'"}'
    answer = _post(ada, body)
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"


def test_every_route_with_a_body_has_a_limit(running: Any, ada: Any) -> None:
    values = {str: "x", int: "1", uuid.UUID: str(uuid.UUID(int=1))}
    taking = [one for one in all_routes() if one.body_type is not None]
    assert len(taking) > 20
    for one in taking:
        assert one.max_body <= 1_048_576, one.path
        path = one.path.replace("{project}", "shop")
        for name, kind in one.path_types.items():
            path = path.replace(f"{{{name}}}", values[kind])
        body = b'"' + b"x" * one.max_body + b'"'
        answer = ada.http.request(one.method, path, content=body, headers=JSON)
        assert answer.status_code == 413, f"{one.method} {one.path}"


def test_a_large_body_of_unknown_length_is_refused(running: Any, ada: Any) -> None:
    def chunks() -> Any:
        for _ in range(30):
            yield b" " * 10_000

    answer = ada.http.post(AGENTS, content=chunks(), headers=JSON)
    assert answer.status_code == 413


def test_a_wrong_content_type_is_refused(running: Any, ada: Any) -> None:
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""]:
        answer = ada.http.post(AGENTS, content=b'{"name": "a"}', headers={"Content-Type": kind})
        assert answer.status_code == 415, kind
    answer = _post(ada, b'{"name": "a"}', **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert answer.status_code == 201


def test_a_compressed_body_is_refused_unread(running: Any, ada: Any) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 60_000
    for encoding in ("gzip", "deflate", "br", "identity, gzip"):
        answer = _post(ada, bomb, **{"Content-Encoding": encoding})
        assert answer.status_code == 415, encoding
    assert _post(ada, b'{"name": "a"}', **{"Content-Encoding": "identity"}).status_code == 201


def test_addresses_that_are_written_oddly_find_nothing_else(running: Any) -> None:
    def ask(path: str) -> bytes:
        request = f"GET {path} HTTP/1.1\r\nHost: z4j\r\nConnection: close\r\n\r\n"
        return _whole(running.url, request.encode())

    assert b"setup_needed" in ask("/api/v1/session")
    assert b'"ok"' in ask("/healthz")
    for path in (
        "/api/v1/session/",
        "/api/v1/..%2fhealthz",
        "/api/v1/../../healthz",
        "/api/v1/%2e%2e/%2e%2e/healthz",
        "/api/v1//session",
        "//api/v1/session",
        "/api%2fv1/session",
        "/api/v1%2fsession",
        "http://evil.example/api/v1/session",
    ):
        answer = ask(path)
        assert not answer.startswith(b"HTTP/1.1 5"), path
        assert b"setup_needed" not in answer, path
        assert b'"ok"' not in answer, path


def test_a_host_header_that_is_missing_or_there_twice_is_refused(running: Any) -> None:
    for hosts in ("", "Host: z4j\r\nHost: evil.example\r\n"):
        answer = _raw(running.url, f"GET /api/v1/session HTTP/1.1\r\n{hosts}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400"), hosts


def test_wrong_types_are_pointed_at(running: Any, ada: Any) -> None:
    for content, pointer in [
        (b"[]", ""),
        (b"null", ""),
        (b"{}", "/name"),
        (b'{"name": 1}', "/name"),
        (b'{"name": null}', "/name"),
    ]:
        answer = _post(ada, content)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], content


def test_wrong_parameters_are_pointed_at(running: Any, ada: Any) -> None:
    for query, pointer in [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=x", "?limit"),
        ("limit=1&limit=2", "?limit"),
        ("stranger=1", "?stranger"),
        ("cursor=" + "a" * 700, "?cursor"),
    ]:
        answer = ada.get(f"{AGENTS}?{query}")
        assert answer.status_code == 422, query
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_unknown_addresses_and_methods(running: Any, ada: Any) -> None:
    for path in ["", "/", "/nothing", "/session/x", "//session", "/projects//agents"]:
        answer = ada.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
    answer = ada.http.put("/session", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert ada.http.head("/session").status_code == 200
    assert ada.http.get(running.url + "/api/v2/session").status_code == 404
    assert ada.http.get(running.url + "/%61pi/v1/session").status_code == 404


def test_an_id_may_hold_a_slash(running: Any, ada: Any) -> None:
    router = Router(running.brain, all_routes())
    found, parts = router.find("GET", "/projects/shop/tasks/celery/a%2Fb%20c")
    assert found.path.endswith("{task_id}")
    assert parts == {"project": "shop", "engine": "celery", "task_id": "a%2Fb%20c"}


def test_garbage_on_the_socket_does_not_end_the_server(running: Any, ada: Any) -> None:
    host = f"Host: {urlsplit(running.url).netloc}\r\n".encode()
    for request in [
        b"\x16\x03\x01\x02\x00",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /api/v1/sign-in HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
        b"POST /api/v1/sign-in HTTP/1.1\r\n" + host + b"Content-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ]:
        answer = _raw(running.url, request)
        assert not answer.startswith(b"HTTP/1.1 2"), request[:40]
        assert b"HTTP/1.1 5" not in answer, request[:40]
    assert ada.get("/session").status_code == 200


def test_a_broken_handler_tells_nothing(start: Any, caplog: Any) -> None:
    @route("GET", "/broken", permission=PUBLIC)
    async def broken(call: Call) -> str:
        raise RuntimeError("a secret of the server")

    with start(routes=[broken]) as running:
        answer = running.browser().get("/broken")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal-error"
    assert "secret" not in answer.text
    assert "a secret of the server" in caplog.text


def _two_requests(url: str, first_body: bytes, declared: int) -> bytes:
    """Send a POST that is refused unread and a GET on one connection; return all answers."""
    parts = urlsplit(url)
    host = f"Host: {parts.netloc}\r\n"
    post = f"POST /api/v1/sign-out HTTP/1.1\r\n{host}Content-Length: {declared}\r\n\r\n"
    get = f"GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port), 30) as connection:
        connection.sendall(post.encode())
        answer = b""
        if len(first_body) < declared:  # it stops half-way: the server must not wait for ever
            connection.sendall(first_body)
        else:
            connection.sendall(first_body + get.encode())
        while part := connection.recv(65536):
            answer += part
    return answer


def test_a_refused_body_is_read_so_that_the_connection_lives_on(running: Any) -> None:
    answer = _two_requests(running.url, b"x" * 400_000, 400_000)
    assert answer.startswith(b"HTTP/1.1 403")
    assert answer.endswith(b'{"status":"ok"}')
    assert b"csrf" not in answer


def test_a_body_that_never_comes_is_not_waited_for(running: Any) -> None:
    answer = _two_requests(running.url, b"x" * 10, 400_000)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in answer.lower()
    assert running.browser().get("/session").status_code == 200


def test_an_endless_body_is_cut(running: Any) -> None:
    body = b"x" * 3_000_000

    def chunks() -> Any:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    browser = running.browser()
    answer = browser.http.post("/sign-in", content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert browser.get("/session").status_code == 200
