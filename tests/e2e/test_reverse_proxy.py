"""The samples of `docs/reverse-proxy.md` with the real Caddy and the real nginx."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, WebSocket, expect

from front import CLIENT, Front, running_front
from server import EMAIL, PASSWORD, PROJECT
from services.missing import ServiceMissingError, give_up

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
AGENT = (
    "import z4j_agent, sys; z4j_agent.register(); from lantern.work import lantern;"
    "lantern.light(print, 'hello'); sys.stdin.read(); z4j_agent.stop()"
)
TRICKS = (
    "/api/v1/..%2fhealthz",
    "/api/v1/%2e%2e/%2e%2e/healthz",
    "/api/v1/..%5chealthz",
    "/api/v1//session",
    "//api/v1/session",
    "//evil.example/",
    "//evil.example/%2e%2e",
    "/%5cevil.example",
    "/%2f%2fevil.example/",
    "/assets/..%2f..%2fcsp.json",
    "/assets/%2e%2e/csp.json",
    "/sign-in/once?token=x&next=//evil.example",
    "/api%2fv1/session",
)


@pytest.fixture(params=["caddy", "caddy-prefix", "nginx", "nginx-prefix"])
def front(request: pytest.FixtureRequest, tmp_path: Path, record_url: str) -> Iterator[Front]:
    """A server behind a proxy; outside a prefix the proxy serves nothing."""
    kind, _, prefixed = request.param.partition("-")
    try:
        with running_front(kind, "/z4j" if prefixed else "", tmp_path, record_url) as front:
            yield front
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def ada(front: Front) -> Iterator[httpx.Client]:
    """The first admin, signed in through the proxy, who lies about where she is."""
    forged = {"X-Forwarded-For": "203.0.113.66", "X-Real-IP": "203.0.113.66"}
    with front.client(**forged, Forwarded="for=203.0.113.66") as client:
        front.set_up(client)
        yield client


def test_browser_agent_and_tricks(
    front: Front, ada: httpx.Client, browser: Browser, tmp_path: Path
) -> None:
    """One test, since each part needs the same two servers."""
    addresses_are_the_clients_own(ada)
    cookies_and_headers_are_those_of_tls(front)
    forged_headers_are_refused(front)
    paths_lead_nowhere_else(front)
    token = ada.post(f"/projects/{PROJECT}/agents", json={"name": "lantern"}).json()["token"]
    the_page_is_live(front, browser, token, tmp_path)
    [task] = ada.get(f"/projects/{PROJECT}/tasks").json()["items"]
    assert task["engine"] == "lantern"


def addresses_are_the_clients_own(ada: httpx.Client) -> None:
    entries = ada.get(f"/projects/{PROJECT}/audit").json()["items"]
    assert entries
    assert {entry["address"] for entry in entries} == {CLIENT}


def cookies_and_headers_are_those_of_tls(front: Front) -> None:
    with front.client() as client:
        answer = client.post("/sign-in", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        for cookie in answer.headers.get_list("set-cookie"):
            flags = [part.strip().lower() for part in cookie.split(";")]
            assert f"path={front.prefix or '/'}" in flags
            assert {"secure", "httponly", "samesite=lax"} <= set(flags)
        assert answer.headers["cache-control"] == "no-store"
    status, headers, _ = front.raw(f"{front.prefix}/sign-in")
    assert status == 200
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"].count("default-src") == 1


def forged_headers_are_refused(front: Front) -> None:
    form = {"email": EMAIL, "password": PASSWORD}
    for forged in (
        {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
        {"Origin": "https://evil.example", "X-Original-Host": "evil.example"},
        {"Origin": front.origin.replace("https", "http"), "X-Forwarded-Proto": "http"},
    ):
        with front.client(**forged) as client:
            assert client.post("/sign-in", json=form).status_code == 403, forged
    with front.client(**{"X-Request-ID": "chosen-by-a-client"}) as client:
        assert client.get("/session").headers["x-request-id"] != "chosen-by-a-client"
    for host in ("evil.example", f"evil.example:{front.port}", "localhost.evil.example"):
        status, _, body = front.raw(f"{front.prefix}/api/v1/session", host)
        assert status in (400, 421) or not body, host


def paths_lead_nowhere_else(front: Front) -> None:
    for trick in TRICKS:
        for target in {front.prefix + trick, trick}:
            status, headers, body = front.raw(target)
            assert status < 500, target
            assert "evil" not in headers.get("location", ""), target
            assert b"setup_needed" not in body, target
            assert b'"status":"ok"' not in body, target
            assert b"sha256-" not in body, target


def the_page_is_live(front: Front, browser: Browser, token: str, tmp_path: Path) -> None:
    """The dashboard hears of a task that an agent tells of, both through the proxy."""
    context = browser.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        heard: set[str] = set()
        page.on("websocket", lambda socket: _note_frames(socket, heard))
        page.goto(f"{front.url}/sign-in")
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Tasks", exact=True).first.click()
        page.wait_for_url(re.compile(f"{front.prefix}/p/{PROJECT}/tasks"))
        with agent(front, token, tmp_path):
            expect(page.locator("[data-task-id]")).to_have_count(1)
        assert heard == {f"wss{front.url.removeprefix('https')}/ws/dashboard"}
    finally:
        context.close()


def _note_frames(socket: WebSocket, heard: set[str]) -> None:
    socket.on("framereceived", lambda _: heard.add(socket.url))


@contextmanager
def agent(front: Front, token: str, folder: Path) -> Iterator[None]:
    """A process with the stranger's engine that reaches z4j through the proxy only."""
    own = {
        "Z4J_URL": front.url,
        "Z4J_TOKEN": token,
        "Z4J_SPOOL_DIR": str(folder / "spool"),
        "SSL_CERT_FILE": str(front.certificate.certificate),
    }
    with subprocess.Popen(
        [sys.executable, "-c", AGENT],
        env={**os.environ, **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        yield
        process.communicate(timeout=60)
