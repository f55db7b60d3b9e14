"""One process samples each queue, another takes over when it is killed, and the depth is true."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import enter
from record import every_text
from server import ASK_EVERY_S, Client, Server
from services.redis import Redis

PASSWORD = "planted-broker-password-41"
SAYS_SO = "This process samples the depth of its queues"


@pytest.fixture
def server(tmp_path: Path, record_url: str) -> Iterator[Server]:
    """A server that has queues sampled every second."""
    server = Server(tmp_path / "home", record_url)
    server.environment["Z4J_QUEUE_SAMPLE_S"] = "1"
    server.start()
    yield server
    server.stop()


@pytest.fixture
def shop(tmp_path: Path, own_redis: Redis, server: Server, client: Client) -> Iterator[Shop]:
    """A shop whose broker wants a password."""
    with redis.Redis.from_url(own_redis.url) as admin:
        admin.config_set("requirepass", PASSWORD)
    url = own_redis.url.replace("redis://", f"redis://:{PASSWORD}@")
    shop = Shop(tmp_path, url, server.url, client.mint("shop"))
    yield shop
    shop.stop()


def queue_of(client: Client, name: str, fits: Callable[[Any], bool]) -> Any:
    """Wait until a queue looks like this and return it."""
    deadline = time.monotonic() + 120
    found: list[Any] = []
    while time.monotonic() < deadline:
        found = [one for one in client.project("/queues")["items"] if one["queue"] == name]
        if len(found) == 1 and fits(found[0]):
            return found[0]
        time.sleep(ASK_EVERY_S)
    raise AssertionError(f"the queue {name} is not as it should be: {found}")


def samplers(shop: Shop, *names: str) -> list[str]:
    """Return those of the workers that say that they were elected."""
    return [name for name in names if SAYS_SO in (shop.folder / f"{name}.log").read_text()]


def test_one_worker_samples_and_another_takes_over(
    shop: Shop, client: Client, server: Server, record_url: str
) -> None:
    workers = {name: shop.start_worker(name, "-l", "INFO") for name in ("w1", "w2")}
    shop.publish('[sleep.apply_async((1,), queue="idle") for _ in range(7)]')
    # The only process that knew this queue goes; whoever knows its broker can ask for it.
    idle = queue_of(
        client,
        "idle",
        lambda one: one["waiting"] == 7 and (one["sampler"] or "").startswith(("w1@", "w2@")),
    )
    assert (idle["consumer_count"], idle["unconsumed"]) == (0, True)
    queue = queue_of(
        client, "truth", lambda one: one["waiting"] == 0 and one["consumer_count"] == 2
    )
    assert (queue["transport"], queue["stale"], queue["unconsumed"]) == ("redis", False, False)

    [elected] = samplers(shop, *workers)
    assert queue["sampler"].startswith(f"{elected}@")
    assert idle["sampler"] == queue["sampler"]
    os.kill(workers[elected].pid, signal.SIGKILL)
    workers[elected].wait()
    [other] = [name for name in workers if name != elected]
    queue = queue_of(client, "truth", lambda one: (one["sampler"] or "").startswith(f"{other}@"))
    before = queue["as_of"]
    queue = queue_of(client, "truth", lambda one: one["as_of"] > before)
    assert (queue["stale"], queue["consumer_count"]) == (False, 1)

    _the_password_is_nowhere(shop, server, record_url)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_depth_is_what_redis_says(shop: Shop, client: Client) -> None:
    program = (
        "import time\n"
        'ids = [sleep.apply_async((1,), queue="idle", priority=p).id for p in (0, 3, 0, 9, 0)]\n'
        "print(*ids, flush=True); time.sleep(60)"
    )
    with _publisher(shop, program):
        # The first samples may be of a moment between two messages, and events come a bit later.
        queue = queue_of(client, "idle", lambda one: one["waiting"] == one["recorded_waiting"] == 5)
        with redis.Redis.from_url(shop.redis_url) as broker:
            keys = [key for key in broker.keys("idle*") if broker.type(key) == b"list"]
            assert len(keys) == 3, "one list for each priority"
            assert queue["waiting"] == sum(broker.llen(key) for key in keys) == 5
        assert queue["unacked"] is None, "Redis does not tell them by queue"
        assert queue["oldest_by"] == "broker"
        assert 0 <= queue["oldest_ms"] < 60_000
        assert queue["unconsumed"] is True
        assert queue["recorded_waiting"] == 5
        detail = client.project("/queues/celery/idle", window="1h")
        assert len(detail["points"]) == 60
        sampled = [point for point in detail["points"] if point["waiting"] is not None]
        assert 1 <= len(sampled) <= 2
        assert sampled[-1]["waiting"] == 5
        assert sum(point["arrivals"] for point in detail["points"]) == 5
    # Nobody is left who could ask.
    queue = queue_of(client, "idle", lambda one: one["stale"])
    assert (queue["waiting"], queue["sampler"]) == (5, None)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_queues_and_names_in_a_browser(
    page: Page, shop: Shop, server: Server, client: Client
) -> None:
    shop.start_worker()
    [failing, _] = shop.publish('print(fail.delay("no stock").id, work.delay(1).id)')
    shop.publish('[sleep.apply_async((1,), queue="idle") for _ in range(7)]')
    queue_of(client, "idle", lambda one: one["waiting"] == one["recorded_waiting"] == 7)
    client.task(failing, "failed")
    enter(page, client)
    page.get_by_role("link", name="Queues", exact=True).first.click()
    row = page.get_by_test_id("queue-table").get_by_role("row").filter(has_text="idle")
    expect(row.get_by_role("cell").nth(1)).to_have_text("7")
    row.get_by_role("link", name="idle").click()
    expect(page.get_by_role("img", name=re.compile("^Depth of idle"))).to_be_visible()
    page.get_by_role("link", name="Tasks of this queue").click()
    tasks = page.locator("[data-task-id]")
    expect(tasks).to_have_count(7)

    page.get_by_role("link", name="Task names", exact=True).first.click()
    failed = page.locator('tr[data-name$="fail"]')
    expect(failed.get_by_role("cell").nth(2)).to_have_text("1")
    failed.click()
    expect(tasks).to_have_count(1)
    expect(tasks).to_contain_text("failed")


class _publisher:
    """A publisher that stays: it is the only process that knows its queue."""

    def __init__(self, shop: Shop, program: str) -> None:
        self._shop = shop
        self._program = program

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from celery_truth import *\n{self._program}"],
            env=self._shop.environment,
            stdout=subprocess.DEVNULL,
        )

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _the_password_is_nowhere(shop: Shop, server: Server, record_url: str) -> None:
    assert PASSWORD not in every_text(record_url)
    for log in (server.log, *shop.folder.glob("*.log")):
        assert PASSWORD not in log.read_text(), log
