"""What the tasks really did stands in the record: all of it, and none of it twice."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from celery_worker import Shop
from record import wait_for_events
from run_times import described, differences
from server import Client, Server

TASKS = 2_000
OVER_RABBITMQ = 600


def check(shop: Shop, record_url: str) -> None:
    wanted = shop.expected()
    found = wait_for_events(record_url, wanted)
    assert not (wanted - found), f"lost: {list((wanted - found).items())[:5]}"
    assert not (found - wanted), f"surplus: {list((found - wanted).items())[:5]}"


def test_every_event_is_recorded_once(shop: Shop, client: Client, record_url: str) -> None:
    for number in range(2):
        shop.start_worker(f"w{number}")
    ids = shop.publish_numbers(TASKS)
    shop.wait_for_ends(TASKS)
    check(shop, record_url)
    print(described(differences(shop.truth_lines(), record_url)))
    states = {item["state"] for item in client.project("/tasks", limit=200)["items"]}
    assert states <= {"succeeded", "failed"}
    assert client.project(f"/tasks/celery/{ids[0]}")["wait_ms"] >= 0


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_every_event_is_recorded_once_on_rabbitmq(
    tmp_path: Path, rabbitmq_url: str, server: Server, client: Client, record_url: str
) -> None:
    shop = Shop(tmp_path, rabbitmq_url, server.url, client.mint("shop"))
    try:
        for number in range(2):
            shop.start_worker(f"w{number}")
        shop.publish_numbers(OVER_RABBITMQ)
        shop.wait_for_ends(OVER_RABBITMQ)
        check(shop, record_url)
    finally:
        shop.stop()


def test_nothing_is_lost_when_the_server_is_killed_twice(
    shop: Shop, server: Server, record_url: str
) -> None:
    """The same with one worker, which sends all that the server missed."""
    shop.start_worker()
    publisher = threading.Thread(target=shop.publish_numbers, args=(TASKS,))
    publisher.start()
    for already in (TASKS // 4, TASKS // 2):
        shop.wait_for_ends(already)
        server.kill()
        time.sleep(0.5)
        server.start()
    publisher.join()
    shop.wait_for_ends(TASKS)
    check(shop, record_url)


def test_a_publisher_that_exits_while_the_server_is_dead_loses_nothing(
    shop: Shop, server: Server, client: Client, record_url: str
) -> None:
    server.kill()
    shop.publish_numbers(200)
    server.start()
    shop.start_worker()
    shop.wait_for_ends(200)
    check(shop, record_url)
    workers = client.project("/workers")["items"]
    online = {worker["role"]: worker["online"] for worker in workers}
    assert online == {"publisher": False, "worker": True}


@pytest.mark.parametrize("server_is_dead", [False, True])
def test_a_publisher_killed_in_the_middle_loses_nothing(
    shop: Shop, server: Server, record_url: str, server_is_dead: bool
) -> None:
    if server_is_dead:
        server.kill()
    known = set(shop.publish_and_kill(300))
    if server_is_dead:
        server.start()
    shop.start_worker()
    shop.wait_for_ends(len(known))
    time.sleep(1)  # the broker may have had one task more than its publisher knew of
    wanted = shop.expected()
    for event in list(wanted):
        if event[0] == "published" and event[1] not in known:
            del wanted[event]  # it may have been killed before it could tell
    found = wait_for_events(record_url, wanted)
    assert not wanted - found
    assert max(found.values()) == 1
    assert {task_id for kind, task_id, _ in found if kind == "published"} >= known
