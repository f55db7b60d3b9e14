"""Settings in a real browser: a project is renamed, and a second one gets an agent's events."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from celery_worker import Shop
from pages import enter
from server import PASSWORD, Client, Server

EVE = "eve@example.org"


def invited_viewer(browser: Browser, client: Client) -> Page:
    """Let Eve join the first project as a viewer; return her page."""
    link = client.post("/projects/shop/invitations", email=EVE, role="viewer")["url"]
    page = browser.new_context().new_page()
    page.goto(link)
    page.get_by_label("Name").fill("Eve")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
    return page


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_project_is_renamed_and_a_second_one_gets_its_own_events(
    page: Page,
    browser: Browser,
    server: Server,
    client: Client,
    redis_url: str,
    tmp_path: Path,
) -> None:
    enter(page, client)
    page.keyboard.press("g")
    page.keyboard.press(",")
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
    own = page.get_by_role("region", name="This project")
    expect(own.get_by_role("button", name="Rename")).to_be_disabled()
    own.get_by_label("Name").fill("Corner shop")
    own.get_by_role("button", name="Rename").click()
    expect(own.get_by_role("status")).to_have_text("Renamed.")
    expect(page.get_by_role("complementary")).to_contain_text("Corner shop")
    projects = page.get_by_role("list", name="Projects")
    settings = page.get_by_role("list", name="Settings of this server")
    expect(settings).to_contain_text("Z4J_EVENT_RETENTION_DAYS")
    expect(settings.get_by_role("listitem").filter(has_text="Z4J_SECRET ").first).to_contain_text(
        "(set, not shown)"
    )
    expect(page.get_by_role("table", name="Tables")).to_contain_text("events")

    page.get_by_role("button", name="New project").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Shop")
    dialog.get_by_role("button", name="Make the project").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is a project shop already")
    dialog.get_by_label("Name").fill("Depot")
    dialog.get_by_role("button", name="Make the project").click()
    expect(dialog).to_contain_text("you are its first admin")
    dialog.get_by_role("button", name="Close").last.click()
    expect(projects).to_contain_text("Corner shop")
    expect(projects).to_contain_text("no event yet")
    page.get_by_role("link", name="Switch to Depot").click()
    page.wait_for_url("**/p/depot")
    expect(page.get_by_role("button", name="Choose a project").first).to_contain_text("Depot")

    token = client.post("/projects/depot/agents", name="billing")["token"]
    shop = Shop(tmp_path, redis_url, server.url, token)
    shop.flush()
    shop.start_worker()
    try:
        [task] = shop.publish("print(work.delay(1).id)")
        page.get_by_role("link", name="Tasks", exact=True).first.click()
        expect(page.locator(f'[data-task-id="{task}"]')).to_be_visible()
    finally:
        shop.stop()
    assert client.http.get(f"/projects/depot/tasks/celery/{task}").status_code == 200
    assert client.http.get(f"/projects/shop/tasks/celery/{task}").status_code == 404
    assert client.project("/tasks")["items"] == []

    eve = invited_viewer(browser, client)
    expect(eve.get_by_role("complementary")).to_contain_text("Corner shop")
    expect(eve.get_by_role("link", name="People", exact=True).first).to_be_visible()
    expect(eve.get_by_role("link", name="Settings", exact=True)).to_have_count(0)
    eve.goto(f"{server.url}/p/shop/settings")
    expect(eve.get_by_text("Settings are for admins")).to_be_visible()
    eve.goto(f"{server.url}/p/depot")
    expect(eve.get_by_text("There is no project")).to_be_visible()
    eve.context.close()
