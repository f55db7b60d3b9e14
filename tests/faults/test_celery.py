"""Real Celery tasks count the truth themselves, while server, children and workers are killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_worker import Shop
from faults.arena import Arena
from faults.celery_shop import ended, kill_child, kill_parent, wait_for_empty, wait_until
from faults.record import read_record
from faults.truth import states_after
from record import expected

TASKS = 800


@pytest.fixture
def shop(arena: Arena, tmp_path: Path, redis_url: str) -> Iterator[Shop]:
    """A Celery application behind the arena's proxy."""
    arena.emitters = []
    token = arena.agent_environment["Z4J_TOKEN"]
    shop = Shop(tmp_path, redis_url, arena.agent_environment["Z4J_URL"], token)
    shop.flush()
    yield shop
    shop.stop()


def wait_for_quiet(shop: Shop) -> None:
    """Wait until no task has said anything for three seconds."""
    known, since = shop.truth(), time.monotonic()
    while time.monotonic() - since < 3.0:
        time.sleep(0.2)
        if (truth := shop.truth()) != known:
            known, since = truth, time.monotonic()


def test_server_child_and_link_are_killed_under_load(arena: Arena, shop: Shop) -> None:
    """A killed child loses the task it ran, and what it had not handed over; nothing else."""
    worker = shop.start_worker()
    publisher = threading.Thread(target=shop.publish_numbers, args=(TASKS,))
    publisher.start()
    wait_until(lambda: ended(shop.truth()) > 200, "the worker does not work")
    kill_child(worker)
    arena.link_proxy.cut()
    arena.server.kill()
    time.sleep(0.5)
    arena.server.start()
    arena.server.wait_until_ready()
    publisher.join()
    # The task that the child was running is gone with it; Celery acknowledges early.
    wait_until(lambda: ended(shop.truth()) >= TASKS - 2, "tasks do not end")
    wait_for_quiet(shop)
    shop.stop()
    arena.drain()
    assert arena.server.stop() == 0
    record, truth = read_record(arena.url), shop.truth()
    assert max(record.events.values()) == 1
    surplus = record.events - expected(truth)
    killed = {task_id for _, task_id, _ in surplus}
    lost = expected(truth) - record.events
    # The child may have been killed between its task's own word and what it tells its parent: how
    # the run ended, and that its retry is with the broker already.
    assert sum(lost.values()) <= 2, lost
    assert {kind for kind, _, _ in lost} <= {"succeeded", "failed", "retried", "published"}, lost
    assert {task_id for _, task_id, _ in lost} <= killed, lost
    assert len(killed) <= 2, surplus
    assert {kind for kind, _, _ in surplus} <= {"failed", "received", "published", "started"}
    assert record.missing == 0
    assert record.states == states_after(record.events)


def test_a_killed_workers_events_are_sent_by_the_next(arena: Arena, shop: Shop) -> None:
    """What the tasks did until a moment before is in the spool, though the server was away."""
    worker = shop.start_worker()
    publisher = threading.Thread(target=shop.publish_numbers, args=(TASKS,))
    publisher.start()
    wait_until(lambda: ended(shop.truth()) > 100, "the worker does not work")
    arena.server.kill()
    wait_until(lambda: ended(shop.truth()) > 300, "the worker does not work")
    before = shop.truth()
    time.sleep(1.0)
    kill_parent(worker)
    publisher.join()
    arena.server.start()
    arena.server.wait_until_ready()
    shop.start_worker("w2")
    wait_for_empty(shop.folder / "spool")
    shop.stop()
    arena.drain()
    assert arena.server.stop() == 0
    record = read_record(arena.url)
    assert not expected(before) - record.events
    assert max(record.events.values()) == 1
    assert not {event for event in record.events if event[0] in ("succeeded", "retried")} - set(
        shop.truth()
    )
