"""A worker's controls are clicked in a browser, and the worker itself shows the effect."""

from __future__ import annotations

import pytest
import redis
from playwright.sync_api import Page, expect

from celery_worker import Shop
from clicking import Hand, eventually
from pages import enter
from server import PROJECT, Client, Server

CANVAS = """
from celery import chain, group
first = chain(work.si(1), group(work.si(2), fail.si("out of stock")))()
print(first.parent.id, *[one.id for one in first])
"""


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_each_control_of_a_worker(hand: Hand, client: Client, shop: Shop) -> None:
    process = shop.start_worker()
    client.wait_for_action("pool_grow")
    worker = hand.worker()["id"]
    hand.do("celery", "pool_grow", worker, by="2")
    expect(hand.page.get_by_text("start it with --autoscale")).to_be_visible()
    assert len(shop.children(process)) == 4
    hand.do("celery", "pool_shrink", worker, by="1")
    eventually(lambda: len(shop.children(process)) == 3, "one process has to go")
    before = shop.children(process)
    hand.do("celery", "pool_restart", worker)
    eventually(lambda: not before & shop.children(process), "each process has to go")
    eventually(lambda: len(shop.children(process)) == 3, "others come in their place")
    hand.do("celery", "time_limit", worker, task="truth.sleep", hard_s="1")
    [limited] = shop.publish("print(sleep.delay(600).id)")
    assert client.task(limited, "failed")["exception_type"].endswith("TimeLimitExceeded")
    hand.do("celery", "rate_limit", worker, task="truth.sleep", rate="1/h")
    first, held = shop.publish("print(sleep.delay(0).id, sleep.delay(0).id)")
    client.task(first, "succeeded")
    client.task(held, "received")
    hand.do("celery", "rate_limit", worker, task="truth.sleep")
    hand.do("celery", "cancel_consumer", worker, queue="truth")
    [waiting] = shop.publish("print(sleep.delay(0).id)")
    with redis.Redis.from_url(shop.redis_url) as broker:
        assert broker.llen("truth") == 1
    hand.do("celery", "add_consumer", worker, queue="truth")
    client.task(waiting, "succeeded")
    assert client.task(held, "received")["started_at"] is None, "the rate holds it back"
    assert hand.do("celery", "held_tasks", worker)["active_count"] == 0
    hand.do("celery", "shutdown", worker)
    assert process.wait(60) == 0


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_workflow_is_a_tree(page: Page, server: Server, client: Client, shop: Shop) -> None:
    shop.start_worker()
    first, second, failing = shop.publish(CANVAS)
    client.task(failing, "failed")
    client.task(second, "succeeded")
    enter(page, client)
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
