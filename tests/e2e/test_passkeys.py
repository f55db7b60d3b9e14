"""Passkeys in a real browser, with Chromium's virtual authenticator; a second step that is owed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import CDPSession, Page, expect

from server import EMAIL, PASSWORD, PROJECT, Client, Server

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """An authenticator that is built into the browser's computer."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        made = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
        self.id = made["authenticatorId"]

    def passkeys(self) -> int:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(found["credentials"])

    def recognises(self, verified: bool) -> None:
        """Whether the finger that is held to it is the owner's."""
        self.cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified}
        )


def address(server: Server) -> str:
    """An IP address has no passkeys."""
    return server.url.replace("127.0.0.1", "localhost")


def give_password(page: Page, server: Server) -> None:
    page.goto(f"{address(server)}/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def expect_inside(page: Page) -> None:
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()


def add_passkey(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add a passkey").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Go on").click()


def keep_codes(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    assert len(dialog.get_by_label("Recovery codes").inner_text().split()) == 10
    dialog.get_by_role("button", name="I have kept them").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(re.compile("/sign-in"))


def test_a_person_adds_a_passkey_signs_in_with_it_and_removes_it(
    page: Page, server: Server, client: Client
) -> None:
    device = Device(page)
    give_password(page, server)
    expect_inside(page)
    page.get_by_title(f"Account of {EMAIL}").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    add_passkey(page, "Laptop")
    keep_codes(page)
    rows = page.get_by_role("list", name="Passkeys").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Laptop")
    expect(rows).to_contain_text("not used yet")
    assert device.passkeys() == 1
    add_passkey(page, "Again")
    expect(page.get_by_text("has a passkey of your account already")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    sign_out(page)

    device.recognises(False)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("No passkey was used")).to_be_visible()
    device.recognises(True)
    page.get_by_role("button", name="Use a passkey").click()
    expect_inside(page)
    sign_out(page)

    give_password(page, server)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect_inside(page)

    page.get_by_title(f"Account of {EMAIL}").click()
    expect(rows).not_to_contain_text("not used yet")
    page.get_by_role("button", name="Remove the passkey Laptop").click()
    page.get_by_role("dialog").get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(rows).to_have_count(0)
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey is not known here")).to_be_visible()
    give_password(page, server)
    expect_inside(page)


def test_who_owes_a_second_step_is_led_to_it(page: Page, server: Server, client: Client) -> None:
    server.stop()
    server.environment["Z4J_SECOND_FACTOR_REQUIRED"] = "all"
    server.start()
    Device(page)
    give_password(page, server)
    expect(page.get_by_text("This server asks for a second step of sign-in.")).to_be_visible()
    page.goto(f"{address(server)}/p/{PROJECT}/tasks")
    page.wait_for_url(re.compile("/account$"))
    expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    expect(page.get_by_role("heading", name="Password", exact=True)).to_have_count(0)
    add_passkey(page, "Laptop")
    keep_codes(page)
    page.get_by_role("link", name="Back to shop").click()
    expect_inside(page)
    expect(page.get_by_test_id("live-status")).to_have_attribute("data-state", "open")
