"""A bulk run in a real browser, with a real worker: estimated, begun, decided, paused, done."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import enter
from server import PROJECT, Client, Server

COUNT = 30


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_every_failed_task_is_retried_once(
    page: Page, server: Server, client: Client, shop: Shop
) -> None:
    shop.start_worker()
    ids = shop.publish(f'for n in range({COUNT}): print(fail.delay("no stock").id)')
    for task_id in ids:
        client.task(task_id, "failed")
    enter(page, client)
    page.goto(f"{server.url}/p/{PROJECT}/tasks?q=state:failed")
    page.get_by_role("button", name=f"Act on all {COUNT} that match").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_test_id("bulk-estimate")).to_have_attribute("data-eligible", str(COUNT))
    expect(dialog.get_by_test_id("bulk-estimate")).to_contain_text(
        f"{COUNT} share their name and arguments"
    )
    dialog.get_by_label("Tasks a second").fill("2")
    dialog.get_by_role("button", name=f"Retry {COUNT} tasks").click()
    decide(page)
    wait_until_done(page)
    retried = Counter(
        item["retried_from"]
        for item in client.project("/tasks", q="state:failed", limit=200)["items"]
        if item["retried_from"]
    )
    assert retried == Counter(ids)
    [run] = client.project("/bulk-runs")["items"]
    assert (run["state"], run["total"], run["counts"]["succeeded"]) == ("done", COUNT, COUNT)


def decide(page: Page) -> None:
    """The canary's tasks fail again, so somebody has to decide; then pause, then resume."""
    run = page.get_by_test_id("bulk-run")
    expect(run).to_have_attribute("data-state", "waiting")
    expect(run).to_contain_text("10 of 10 tasks of the canary failed")
    page.get_by_role("button", name="Approve the rest").click()
    page.get_by_role("button", name="Pause").click()
    expect(run).to_have_attribute("data-state", "paused")
    page.get_by_role("button", name="Resume").click()
    expect(run).to_have_attribute("data-state", "running")


def wait_until_done(page: Page) -> None:
    """Every task has its result; each links to the task that came of it."""
    expect(page.get_by_test_id("bulk-run")).to_have_attribute("data-state", "done")
    expect(page.get_by_test_id("bulk-ended")).to_have_text(f"{COUNT} of {COUNT} (100%)")
    page.get_by_role("button", name=re.compile("Carried out")).click()
    table = page.get_by_role("table", name="Tasks of the run")
    expect(table.locator("[data-state=succeeded]")).to_have_count(COUNT)
    expect(table.locator("[data-state=succeeded]").first).to_contain_text("failed")
    page.get_by_role("link", name="Bulk runs", exact=True).first.click()
    expect(page.get_by_role("link", name=f"Retry {COUNT} tasks")).to_be_visible()
