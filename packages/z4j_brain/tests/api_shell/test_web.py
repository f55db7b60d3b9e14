"""The dashboard's files, security headers, URL prefix, proxies and host names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Route

from z4j_brain.store.schema import sessions
from z4j_brain.web.dashboard import STATIC, Dashboard

INLINE = "<script>1</script>"
PAGE = (
    f'<head><meta name="z4j-root" content=""/><base href="/"/>{INLINE}</head><div id="app"></div>'
)
HASH = "'sha256-abc='"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "csp.json").write_text('{"script-src": ["' + HASH + '"]}')
    (folder / "assets" / "app-BDwBZ8z_.js").write_text("export const x = 1;\n" * 100)
    (folder / "assets" / "icon.svg").write_text("<svg/>")
    (folder / "secret.txt").write_text("not for browsers")
    return folder


class Files:
    """Asks a dashboard without a server around it."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._app = Starlette(
            routes=[
                Route("/assets/{name:path}", dashboard.asset),
                Route("/{path:path}", dashboard.page),
            ]
        )

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://z4j") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(ask())


def test_every_address_is_the_page_with_a_strict_policy(static: Path) -> None:
    client = Files(Dashboard("", static))
    for path in ("/", "/p/shop/tasks", "/setup?token=x", "/p/shop/tasks/celery/a%2Fb"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, PAGE)
    policy = answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-cache"
    assert f"script-src 'self' {HASH};" in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_prefix_is_put_into_the_page_and_nothing_else_changes(static: Path) -> None:
    client = Files(Dashboard("/ops/z4j", static))
    page = client.get("/").text
    assert '<meta name="z4j-root" content="/ops/z4j"/><base href="/ops/z4j/"/>' in page
    assert INLINE in page, "an inline script must keep its hash"


def test_assets_are_kept_for_ever_when_their_name_holds_a_hash(static: Path) -> None:
    client = Files(Dashboard("", static))
    script = client.get("/assets/app-BDwBZ8z_.js")
    icon = client.get("/assets/icon.svg")
    plain = client.get("/assets/app-BDwBZ8z_.js", headers={"Accept-Encoding": "identity"})
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == plain.text
    assert "content-encoding" not in plain.headers
    assert "immutable" not in icon.headers["cache-control"]


def test_nothing_outside_the_folder_is_served(static: Path) -> None:
    (static / "assets" / "link").symlink_to("/etc")
    client = Files(Dashboard("", static))
    for name in (
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "..%252fsecret.txt",
        "/etc/passwd",
        "link/passwd",
        "nothing.js",
        "",
    ):
        answer = client.get(f"/assets/{name}")
        assert "not for browsers" not in answer.text
        assert "root:" not in answer.text
        assert answer.status_code == 404 or answer.text == PAGE


def test_without_the_files_the_page_says_how_to_build_them(tmp_path: Path) -> None:
    client = Files(Dashboard("", tmp_path / "nothing"))
    answer = client.get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


def test_every_answer_carries_the_security_headers(running: Any) -> None:
    browser = running.browser()
    for path in ("/", "/healthz", "/api/v1/session", "/api/v1/nothing", "/assets/nothing.js"):
        headers = browser.http.get(running.url + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "server" not in headers


def test_browsers_are_kept_to_tls_once_they_talk_it(running: Any) -> None:
    def header(path: str, **headers: str) -> str | None:
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = running.browser(asked).http.get(running.url + path)
        found: str | None = answer.headers.get("strict-transport-security")
        return found

    for path in ("/", "/healthz", "/api/v1/session", "/api/v1/nothing"):
        secured = {"X_Forwarded_Proto": "https", "Host": "z4j.example.org:8443"}
        assert header(path, **secured) == "max-age=31536000"
        assert header(path, **{**secured, "X_Forwarded_Proto": "http"}) is None
        assert header(path, Host="z4j.example.org") is None
        for local in ("localhost:7700", "z4j.localhost"):
            assert header(path, **{**secured, "Host": local}) is None


def test_no_address_leads_a_browser_elsewhere(start: Any) -> None:
    with start(root_path="/z4j") as running:
        http = running.browser().http
        for path in (
            "//evil.example",
            "//evil.example/%2e%2e",
            "/%2f%2fevil.example/..",
            "/%5cevil.example",
            "/sign-in/once?token=x&next=//evil.example",
            "/sign-in?next=https://evil.example",
            "/z4j//evil.example/",
            "/api/v1//evil.example",
        ):
            origin = running.url.removesuffix("/z4j")
            answer = http.get(origin + path, follow_redirects=False)
            assert answer.headers.get("location") in (None, "/z4j/sign-in"), path
            assert answer.status_code < 500, path


def test_under_a_prefix_both_kinds_of_proxy_work(start: Any) -> None:
    with start(root_path="/ops/z4j") as running:
        ada = running.set_up()
        origin = running.url.removesuffix("/ops/z4j")
        stripped = ada.http.get(f"{origin}/api/v1/session")
        assert ada.get("/session").json()["setup_needed"] is False
        assert stripped.status_code == 200
        answer = running.browser({"Origin": origin}).post(
            "/sign-in", {"email": "ada@example.org", "password": "correct horse battery staple"}
        )
        assert "path=/ops/z4j" in answer.headers["set-cookie"].lower()
        page = ada.http.get(f"{origin}/ops/z4j").text
        assert 'content="/ops/z4j"' in page or "holds no dashboard" in page
        assert ada.http.get(f"{origin}/ops/z4jx/api/v1/session").headers["content-type"] != (
            "application/json"
        )
        once = ada.http.get(f"{running.url}/sign-in/once?token=wrong")
        assert once.headers["location"] == "/ops/z4j/sign-in"


def _address_of_the_session(running: Any) -> str | None:
    with running.database.read() as connection:
        address: str | None = connection.execute(
            select(sessions.c.address).order_by(sessions.c.id.desc()).limit(1)
        ).scalar_one()
        return address


FORM = {"email": "ada@example.org", "password": "correct horse battery staple"}


def test_a_trusted_proxy_is_believed_hop_by_hop(start: Any) -> None:
    with start(trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as running:
        running.set_up()
        for forwarded, seen in [
            ("203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("nonsense, 10.1.2.3", "10.1.2.3"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("6.6.6.6, 203.0.113.9, ::ffff:10.1.2.3", "203.0.113.9"),
            ("<script>", "127.0.0.1"),
            ("2001:db8::7", "2001:db8::7"),
        ]:
            browser = running.browser({"X-Forwarded-For": forwarded})
            assert browser.post("/sign-in", FORM).status_code == 200
            assert _address_of_the_session(running) == seen, forwarded
        public = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "z4j.example.org",
            "Origin": "https://z4j.example.org",
        }
        assert running.browser(public).post("/sign-in", FORM).status_code == 200


def test_a_stranger_cannot_pretend_to_be_a_proxy(start: Any) -> None:
    with start(trusted_proxies="192.0.2.1") as running:
        running.set_up()
        browser = running.browser({"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"})
        answer = browser.post("/sign-in", FORM)
        assert answer.status_code == 200
        assert "secure" not in answer.headers["set-cookie"].lower()
        assert _address_of_the_session(running) == "127.0.0.1"
        for pretended in (
            {"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"},
            {"X-Forwarded-Proto": "https", "Origin": running.url.replace("http:", "https:")},
        ):
            assert running.browser(pretended).post("/sign-in", FORM).status_code == 403


def test_only_allowed_host_names_are_answered(start: Any) -> None:
    with start(allowed_hosts="z4j.example.org,*.ops.example.org") as running:
        http = running.browser().http
        for host, status in [
            ("z4j.example.org", 200),
            ("z4j.example.org:7700", 200),
            ("Z4J.Example.org", 200),
            ("eu.ops.example.org", 200),
            ("ops.example.org", 400),
            ("evil.example", 400),
            ("z4j.example.org.evil.example", 400),
            ("127.0.0.1", 400),
            ("[", 400),
        ]:
            answer = http.get("/session", headers={"Host": host})
            assert answer.status_code == status, host
        assert http.get(running.url + "/readyz").status_code == 200


def test_a_page_holds_no_inline_script_without_a_hash() -> None:
    dashboard = Dashboard("/x")
    if not dashboard.is_built:
        pytest.skip(f"{STATIC} is not built")
    client = Files(dashboard)
    answer = client.get("/")
    for text in re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", answer.text, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]
