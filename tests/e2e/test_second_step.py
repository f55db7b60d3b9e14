"""An authenticator app in a real browser: enrolled by QR page, asked for at sign-in, by code and
by recovery code; a changed password; a session ended from another browser.
"""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from server import EMAIL, PASSWORD, PROJECT, Client, Server
from z4j_brain import clock
from z4j_brain.auth.totp import code_at, step_at

NEW_PASSWORD = "tulip anvil quarry mist"
pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def give_password(page: Page, server: Server, password: str = PASSWORD) -> None:
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def expect_inside(page: Page) -> None:
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()


def open_account(page: Page) -> None:
    page.get_by_title(f"Account of {EMAIL}").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()


def enrol(page: Page) -> tuple[bytes, list[str]]:
    """Set up an app on the Account page; return its secret and the recovery codes."""
    open_account(page)
    page.get_by_role("button", name="Set up an app").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password").fill("wrong horse battery staple")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_text("This is not your password.")).to_be_visible()
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("img", name="QR code for the app")).to_be_visible()
    secret = base64.b32decode(dialog.get_by_label("Key for the app").inner_text())
    dialog.get_by_label("Code that the app shows now").fill(code(secret))
    dialog.get_by_role("button", name="Turn on").click()
    codes = dialog.get_by_label("Recovery codes").inner_text().split()
    assert len(codes) == 10
    dialog.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_test_id("second-factor-on")).to_contain_text("10 recovery codes are left")
    return secret, codes


def code(secret: bytes, offset: int = 0) -> str:
    return code_at(secret, step_at(clock.now()) + offset)


def test_a_person_enrols_and_signs_in_with_a_code(
    page: Page, server: Server, client: Client
) -> None:
    give_password(page, server)
    expect_inside(page)
    secret, codes = enrol(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))

    give_password(page, server)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_label("Code").fill("12345")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is wrong or was used")).to_be_visible()
    page.get_by_label("Code").fill(code(secret, 1))
    page.get_by_role("button", name="Sign in").click()
    expect_inside(page)

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/sign-in"))
    give_password(page, server)
    page.get_by_role("button", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(codes[0].lower())
    page.get_by_role("button", name="Sign in").click()
    expect_inside(page)
    open_account(page)
    expect(page.get_by_test_id("second-factor-on")).to_contain_text("9 recovery codes are left")


def test_a_password_is_changed_and_another_browser_is_signed_out(
    page: Page, browser: Browser, server: Server, client: Client
) -> None:
    give_password(page, server)
    expect_inside(page)
    elsewhere = browser.new_page()
    give_password(elsewhere, server)
    expect_inside(elsewhere)
    open_account(page)
    rows = page.get_by_test_id("sessions").get_by_role("listitem")
    expect(rows).to_have_count(3)  # with the client of the fixture
    page.get_by_role("button", name="End the session of Chrome").click()
    expect(rows).to_have_count(2)
    elsewhere.goto(f"{server.url}/p/{PROJECT}/tasks")
    elsewhere.wait_for_url(re.compile("/sign-in"))
    elsewhere.close()

    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("passwordpassword")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("This is easily guessed")).to_be_visible()
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("The password is changed.")).to_be_visible()
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="Back to shop").click()
    expect(page.get_by_test_id("live-status")).to_have_attribute("data-state", "open")
