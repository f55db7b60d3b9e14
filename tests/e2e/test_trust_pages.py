"""Redaction and Audit in a real browser: a rule that takes a secret out of a real event, and a log
that is searched, verified and spoilt.
"""

from __future__ import annotations

import sqlite3

import pytest
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import enter
from record import every_text
from server import Client, Server

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
PASTED = "staff ST-1234 called, token=x7x7-pasted"


def go_to(page: Page, place: str) -> None:
    page.get_by_role("link", name=place, exact=True).first.click()
    expect(page.get_by_role("heading", name=place, level=1)).to_be_visible()


def test_a_rule_is_tried_added_and_hides_what_an_event_brings(
    page: Page, shop: Shop, server: Server, client: Client, record_url: str
) -> None:
    enter(page, client)
    go_to(page, "Redaction")
    expect(page.get_by_role("list", name="Built-in rules")).to_contain_text("card-number")
    page.get_by_role("button", name="Add a pattern").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Staff")
    dialog.get_by_label("Pattern", exact=True).fill("(ST")
    expect(dialog.get_by_text("RE2 does not take this pattern")).to_be_visible()
    dialog.get_by_label("Pattern", exact=True).fill(r"ST-[0-9]{4}")
    expect(dialog.get_by_test_id("pattern-cost")).to_contain_text("50 ms are allowed")
    dialog.get_by_label("Text to try").fill(PASTED)
    expect(dialog.get_by_test_id("redaction-preview").locator("mark")).to_have_count(2)
    expect(dialog.get_by_role("status")).to_contain_text("staff 1×")
    dialog.get_by_role("button", name="Add the pattern").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("list", name="Patterns")).to_contain_text("staff")

    shop.start_worker()
    [hidden] = shop.publish("print(fail.delay('nobody asked for ST-1234').id)")
    task = client.task(hidden, "failed")
    texts = every_text(record_url)
    assert "ST-1234" not in texts
    assert task["exception_message"] == "nobody asked for [redacted]"
    assert "pasted" not in texts + server.log.read_text()
    expect(page.get_by_role("list", name="Patterns")).to_contain_text("taken out")

    page.get_by_role("switch", name="Pattern staff is in force").click()
    expect(page.get_by_role("list", name="Patterns")).to_contain_text("switched off")
    page.get_by_role("button", name="Remove staff").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove staff").click()
    expect(page.get_by_text("No pattern of your own yet")).to_be_visible()


def test_the_audit_log_is_searched_and_verified(
    page: Page, server: Server, client: Client, record_url: str
) -> None:
    client.mint("billing")
    enter(page, client)
    go_to(page, "Audit")
    table = page.get_by_role("table", name="Audit log")
    expect(table).to_contain_text("agent.token_minted")
    whole = int(page.get_by_test_id("audit-count").inner_text().split()[0])
    page.get_by_label("What", exact=True).fill("agent")
    expect(page.get_by_test_id("audit-count")).to_have_text(
        "2 rows that fit; Verify looks at all rows"
    )
    expect(table).not_to_contain_text("member.added")
    page.get_by_label("Who", exact=True).fill("nobody")
    expect(page.get_by_text("No row fits")).to_be_visible()
    page.get_by_role("button", name="Verify").click()
    verdict = page.get_by_test_id("audit-verified")
    expect(verdict).to_have_text(f"The whole log is as it was written: {whole} rows.")
    page.reload()
    expect(page.get_by_label("What", exact=True)).to_have_value("agent")
    page.get_by_label("Who", exact=True).fill("")
    page.get_by_role("row").filter(has_text="agent.created").click()
    expect(page.get_by_role("dialog")).to_contain_text("billing")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()

    page.get_by_label("Which log").select_option("The server itself")
    page.get_by_label("What", exact=True).fill("")
    expect(table).to_contain_text("session.opened")
    page.get_by_role("button", name="Verify").click()
    expect(verdict).to_have_attribute("data-intact", "true")

    page.get_by_label("Which log").select_option("This project")
    expect(table).to_contain_text("agent.created")
    database = sqlite3.connect(record_url.removeprefix("sqlite:///"))
    with database:
        database.execute("UPDATE audit SET actor_name = 'eve' WHERE action = 'agent.created'")
    database.close()
    page.get_by_role("button", name="Verify").click()
    expect(verdict).to_have_attribute("data-intact", "false")
    expect(verdict).to_contain_text("is not as it was written")
