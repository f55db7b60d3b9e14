"""People and keys in a real browser: somebody is invited, joins, and makes a key that works."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from server import EMAIL, PASSWORD, Client, Server

EVE = "eve@example.org"


def sign_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    go_to(page, "People")


def go_to(page: Page, place: str) -> None:
    page.get_by_role("link", name=place, exact=True).first.click()
    expect(page.get_by_role("heading", name=place, level=1)).to_be_visible()


def shown_once(page: Page) -> str:
    block = page.get_by_role("dialog").locator("pre")
    expect(block).to_be_visible()
    text = block.inner_text()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert text not in page.content()
    return text


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_an_invited_person_joins_and_makes_a_key(
    page: Page, browser: Browser, server: Server, client: Client
) -> None:
    sign_in(page, server)
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("dialog").get_by_label("E-mail").fill(EVE)
    page.get_by_role("dialog").get_by_label("Role").select_option("operator")
    page.get_by_role("button", name="Make the link").click()
    link = shown_once(page)
    expect(page.get_by_role("list", name="Open invitations")).to_contain_text(EVE)

    with browser.new_context() as context:
        eve = context.new_page()
        eve.goto(link)
        expect(eve.get_by_role("heading", name=re.compile("^Join"))).to_be_visible()
        assert "#" not in eve.url, "the token stays in no history"
        eve.get_by_label("Name").fill("Eve")
        eve.get_by_label("Password").fill(PASSWORD)
        eve.get_by_role("button", name="Create account and join").click()
        go_to(eve, "Keys")
        eve.get_by_role("button", name="New API key").click()
        eve.get_by_role("dialog").get_by_label("Name").fill("deploy-bot")
        expect(eve.get_by_role("checkbox", name="agent.manage")).to_have_count(0)
        eve.get_by_role("button", name="Make the key").click()
        key = shown_once(eve)
        expect(eve.get_by_role("list", name="API keys")).to_contain_text("deploy-bot")

    answer = ask(server, key, "/projects/shop/tasks")
    assert answer.status_code == 200, answer.text
    page.reload()
    members = page.get_by_role("list", name="Members", exact=True)
    expect(members).to_contain_text(EVE)
    page.get_by_role("button", name=f"Remove {EVE}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove Eve").click()
    expect(members).not_to_contain_text(EVE)
    assert ask(server, key, "/projects/shop/tasks").status_code == 404


def ask(server: Server, key: str, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{server.url}/api/v1{path}", headers=headers, timeout=20)
