"""A newcomer's first minutes in a real browser: set up, connect, watch, retry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import enter
from server import EMAIL, PASSWORD, PROJECT, Client, Server


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_from_the_setup_url_to_a_retried_task(
    page: Page, server: Server, redis_url: str, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/setup?token={server.setup_token()}")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Name", exact=True).fill("Ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Project").fill(PROJECT)
    page.get_by_role("button", name=re.compile("Create")).click()
    page.wait_for_url(re.compile("/connect"))

    page.get_by_label(re.compile("name", re.IGNORECASE)).first.fill("checkout")
    page.get_by_role("button", name=re.compile("Create|Mint|Token")).first.click()
    block = page.locator("pre", has_text="Z4J_TOKEN").first
    expect(block).to_contain_text("z4j_")
    token = re.search(r"z4j_[\w-]{100,}", block.inner_text())
    assert token is not None
    assert server.url in block.inner_text()

    shop = Shop(tmp_path, redis_url, server.url, token.group())
    shop.flush()
    try:
        shop.start_worker()
        expect(page.get_by_test_id("agent-online")).to_be_visible()
        [task_id] = shop.publish('print(fail.delay("no stock").id)')
        expect(page.get_by_test_id("first-task")).to_be_visible()
        page.reload()
        expect(page.get_by_test_id("first-task")).to_be_visible()
        expect(block).to_contain_text("Z4J_TOKEN=YOUR_TOKEN")
        retry_in_the_browser(page, task_id)
    finally:
        shop.stop()


def retry_in_the_browser(page: Page, task_id: str) -> None:
    page.get_by_role("link", name="Tasks", exact=True).first.click()
    page.locator(f'[data-task-id="{task_id}"]').click()
    expect(page.get_by_text("no stock").first).to_be_visible()
    page.get_by_role("button", name="Retry", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    state = page.get_by_test_id("command-state")
    expect(state).to_have_attribute("data-state", "succeeded")
    new = page.get_by_test_id("new-task").first
    new_id = new.inner_text()
    new.click()
    page.wait_for_url(re.compile(new_id))
    expect(page.get_by_test_id("task-id")).to_have_text(new_id)
    expect(page.get_by_test_id("task")).to_have_attribute("data-state", "failed")
    expect(page.get_by_role("link", name=task_id)).to_be_visible()  # retried from


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_list_is_live_dense_and_filters_by_url(
    page: Page, server: Server, client: Client, shop: Shop
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    enter(page, client)
    page.get_by_role("link", name="Tasks", exact=True).first.click()
    shop.start_worker()
    shop.publish_numbers(40)
    rows = page.locator("[data-task-id]")
    expect(rows.nth(24)).to_be_in_viewport()
    page.goto(f"{server.url}/p/{PROJECT}/tasks?q=state:failed")
    expect(rows.first).to_be_visible()
    assert page.locator("[data-task-id]", has_text="succeeded").count() == 0


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_an_issue_is_resolved_and_comes_back(
    page: Page, server: Server, client: Client, shop: Shop
) -> None:
    shop.start_worker()
    shop.publish('print(fail.delay("no stock").id)\nprint(fail.delay("sold out").id)')
    enter(page, client)
    page.goto(f"{server.url}/p/{PROJECT}/issues")
    row = page.locator("[data-row]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("in fail")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    issue = page.get_by_test_id("issue")
    expect(issue).to_have_attribute("data-state", "open")
    expect(page.get_by_test_id("issue-tasks").get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Resolve").click()
    expect(issue).to_have_attribute("data-state", "resolved")
    expect(page.get_by_test_id("decisions")).to_contain_text(EMAIL)
    [again] = shop.publish('print(fail.delay("no stock again").id)')
    expect(page.get_by_test_id("issue-state")).to_have_text("regressed")
    page.goto(f"{server.url}/p/{PROJECT}/tasks/celery/{again}")
    page.get_by_test_id("issue-link").click()
    expect(issue).to_have_attribute("data-state", "open")
    page.get_by_role("link", name="Overview", exact=True).first.click()
    expect(page.get_by_test_id("attention")).to_contain_text("regressed")


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_strangers_action_is_a_form(
    page: Page, server: Server, client: Client, stranger: None
) -> None:
    enter(page, client)
    page.get_by_role("link", name="Workers", exact=True).first.click()
    expect(page.get_by_role("heading", name="Workers")).to_be_visible()  # else it is a queue's name
    page.get_by_text("lantern").first.click()
    page.get_by_role("button", name="Refill").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("litres", re.IGNORECASE)).fill("7")
    dialog.get_by_role("button", name="Refill").click()
    state = page.get_by_test_id("command-state")
    expect(state).to_have_attribute("data-state", "succeeded")
    [command] = client.project("/commands")["items"]
    assert command["result"] == {"oil": 7}
    assert client.project("/tasks")["items"][0]["engine"] == "lantern"
