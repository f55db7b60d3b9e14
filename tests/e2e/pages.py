"""What a person does on more than one page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from server import EMAIL, PASSWORD, Server


def sign_in(page: Page, server: Server) -> None:
    """Sign in and wait for the dashboard."""
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
