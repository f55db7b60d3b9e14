"""A person with a browser, a certified identity provider, and a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pages import enter
from server import EMAIL, PASSWORD, Client, Server
from services.missing import ServiceMissingError, give_up
from services.oidc_provider import CLIENT, SECRET, OidcProvider, running_oidc_provider

EVE = {"email": "eve@example.org", "email_verified": True, "name": "Eve"}
ADA = {"email": EMAIL, "email_verified": True, "name": "Ada"}
pytestmark = pytest.mark.usefixtures("client")
ROLES = {"shop-ops": ["shop:operator"], "/it/platform": "instance-admin"}


@pytest.fixture
def server(tmp_path: Path, record_url: str) -> Iterator[Server]:
    server = Server(tmp_path / "home", record_url)
    yield server
    server.stop()


@pytest.fixture
def provider(server: Server) -> Iterator[OidcProvider]:
    """The provider, and a server that knows it."""
    try:
        with running_oidc_provider([f"{server.url}/sign-in/oidc/callback"]) as provider:
            server.environment |= {
                "Z4J_OIDC_ISSUER": provider.issuer,
                "Z4J_OIDC_CLIENT_ID": CLIENT,
                "Z4J_OIDC_CLIENT_SECRET": SECRET,
                "Z4J_OIDC_NAME": "Shop ID",
                "Z4J_OIDC_SCOPES": "openid,profile,email,groups",
                "Z4J_OIDC_ROLES": json.dumps(ROLES),
            }
            server.start()
            yield provider
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def client(server: Server, provider: OidcProvider) -> Iterator[Client]:
    """Ada, who has set the server up."""
    client = Client(server)
    client.set_up()
    yield client
    client.http.close()


def by_provider(page: Page, server: Server, login: str) -> None:
    """Go to the provider and sign in there."""
    page.context.clear_cookies()
    page.goto(f"{server.url}/sign-in")
    page.get_by_role("button", name="Sign in with Shop ID").click()
    page.get_by_label("Login").fill(login)
    page.get_by_role("button", name="Continue").click()


def role(page: Page, server: Server) -> Any:
    session = page.request.get(f"{server.url}/api/v1/session").json()
    found = {project["slug"]: project["role"] for project in session["projects"]}
    return session["user"]["email"], session["user"]["is_admin"], found.get("shop")


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_groups_come_and_go_with_each_sign_in(
    page: Page, server: Server, provider: OidcProvider
) -> None:
    provider.tell({"eve": {**EVE, "groups": ["shop-ops", "others"]}})
    by_provider(page, server, "eve")
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
    assert role(page, server) == (EVE["email"], False, "operator")
    assert "code=" not in page.url

    provider.tell({"eve": {**EVE, "groups": ["/it/platform"]}})
    by_provider(page, server, "eve")
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
    assert role(page, server) == (EVE["email"], True, "admin")

    provider.tell({"eve": {**EVE, "groups": []}})
    by_provider(page, server, "eve")
    expect(page.get_by_text("No project yet")).to_be_visible()
    assert role(page, server) == (EVE["email"], False, None)

    mallory = {**ADA, "groups": ["/it/platform"]}
    provider.tell({"bob": {**EVE, "email": "bob@example.org"}, "mallory": mallory})
    by_provider(page, server, "bob")
    expect(page.get_by_text("None of your groups may use this server")).to_be_visible()
    by_provider(page, server, "mallory")
    expect(page.get_by_text("has an account here that is not linked yet")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{server.url}/sign-in")
    page.get_by_role("button", name="Sign in with Shop ID").click()
    page.get_by_role("button", name="Turn back").click()
    expect(page.get_by_text("did not let you through")).to_be_visible()
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_one_links_ones_account_and_lands_on_the_page_that_was_asked_for(
    page: Page, server: Server, client: Client, provider: OidcProvider
) -> None:
    provider.tell({"ada": {**ADA, "groups": ["/it/platform"]}})
    enter(page, client)
    page.goto(f"{server.url}/account")
    page.get_by_role("button", name="Link Shop ID").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Login").fill("ada")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your account is linked")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    page.goto(f"{server.url}/account")
    expect(page.get_by_test_id("identity")).to_contain_text("You sign in with Shop ID")

    page.context.clear_cookies()
    page.goto(f"{server.url}/p/shop/workers")
    page.get_by_role("button", name="Sign in with Shop ID").click()
    page.get_by_label("Login").fill("ada")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()
    page.goto(f"{server.url}/p/shop/people")
    expect(page.get_by_role("list", name="All accounts")).to_contain_text("by password or provider")


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_provider_as_the_only_way_and_the_command_line_as_the_way_back(
    page: Page, server: Server, provider: OidcProvider
) -> None:
    server.stop()
    server.environment["Z4J_OIDC_ONLY"] = "on"
    server.start()
    page.goto(f"{server.url}/sign-in")
    expect(page.get_by_role("button", name="Sign in with Shop ID")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    link = z4j(server, "sign-in-link", EMAIL, "--url", server.url).stdout.strip()
    assert re.fullmatch(re.escape(server.url) + r"/sign-in/once\?token=[\w-]{43}", link)
    page.goto(link)
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
    checked = z4j(server, "doctor")
    assert f"identity provider: {provider.issuer}" in checked.stdout
    shown = checked.stdout + z4j(server, "config").stdout + server.log.read_text()
    assert SECRET not in shown

    server.environment["Z4J_OIDC_ROLES"] = '{"ops": "stop:operator"}'
    checked = z4j(server, "doctor")
    assert "names the project stop, which does not exist" in checked.stdout
    server.environment["Z4J_OIDC_ROLES"] = "ops=shop:operator"
    refused = z4j(server, "serve", "--port", "0")
    assert (refused.returncode, "no JSON object" in refused.stderr) == (1, True)


def z4j(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "z4j_brain", *arguments],
        env={**os.environ, **server.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
