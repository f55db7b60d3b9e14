"""A worker's controls are clicked in a browser, and the worker itself shows the effect."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import sign_in
from server import PROJECT, Client, Server

CANVAS = """
from celery import chain, group
first = chain(work.si(1), group(work.si(2), fail.si("out of stock")))()
print(first.parent.id, *[one.id for one in first])
"""


def eventually(is_so: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, problem
        time.sleep(0.05)


def do(page: Page, button: str, confirm_by: str | None = None, **fields: str) -> None:
    """Ask for an action on the worker's page, and wait until it has succeeded."""
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    for label, text in fields.items():
        dialog.get_by_label(re.compile(f"^{label}", re.IGNORECASE)).fill(text)
    if confirm_by is not None:
        dialog.get_by_label(re.compile("to confirm")).fill(confirm_by)
    dialog.get_by_test_id("action-submit").click()
    expect(page.get_by_test_id("command-state")).to_have_attribute("data-state", "succeeded")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_each_control_of_a_worker(page: Page, server: Server, client: Client, shop: Shop) -> None:
    process = shop.start_worker()
    client.wait_for_action("pool_grow")
    [worker] = client.project("/workers")["items"]
    name = worker["worker_id"]

    def children() -> int:
        told = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return len(told.split())

    sign_in(page, server)
    page.goto(f"{server.url}/p/{PROJECT}/workers/{worker['id']}")
    expect(page.get_by_text("start it with --autoscale")).to_be_visible()
    do(page, "Grow pool", by="2")
    assert children() == 4
    do(page, "Shrink pool", by="1")
    eventually(lambda: children() == 3, "one process has to go")
    do(page, "Time limits", task="truth.sleep", hard="1")
    [limited] = shop.publish("print(sleep.delay(600).id)")
    assert client.task(limited, "failed")["exception_type"].endswith("TimeLimitExceeded")
    do(page, "Rate limit", task="truth.sleep", rate="1/h")
    first, held = shop.publish("print(sleep.delay(0).id, sleep.delay(0).id)")
    client.task(first, "succeeded")
    client.task(held, "received")
    do(page, "Rate limit", task="truth.sleep")
    do(page, "Pause queue", confirm_by=name, queue="truth")
    [waiting] = shop.publish("print(sleep.delay(0).id)")
    with redis.Redis.from_url(shop.redis_url) as broker:
        assert broker.llen("truth") == 1
    do(page, "Consume queue", queue="truth")
    client.task(waiting, "succeeded")
    assert client.task(held, "received")["started_at"] is None, "the rate holds it back"
    do(page, "Show held tasks")
    [told] = [one for one in client.project("/commands")["items"] if one["action"] == "held_tasks"]
    assert told["result"]["active_count"] == 0
    do(page, "Shut down", confirm_by=name)
    assert process.wait(60) == 0


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_workflow_is_a_tree(page: Page, server: Server, client: Client, shop: Shop) -> None:
    shop.start_worker()
    first, second, failing = shop.publish(CANVAS)
    client.task(failing, "failed")
    client.task(second, "succeeded")
    sign_in(page, server)
    page.goto(f"{server.url}/p/{PROJECT}/tasks/celery/{failing}")
    rows = page.get_by_test_id("tree").get_by_role("link")
    expect(rows).to_have_count(3)
    shown = {
        row.get_attribute("title"): (
            row.get_attribute("data-depth"),
            row.get_attribute("data-state"),
        )
        for row in rows.all()
    }
    assert shown == {
        first: ("0", "succeeded"),
        second: ("1", "succeeded"),
        failing: ("1", "failed"),
    }
    expect(page.locator('[data-testid="tree"] [aria-current]')).to_have_attribute("title", failing)
    rows.first.click()
    expect(page.get_by_test_id("task-id")).to_have_text(first)
    expect(rows).to_have_count(3)
