"""What breaks naive capture: lost connections, missing dispatchers, messages that come again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from harness import Worker, wait

ClientOf = Callable[[Worker], Celery]
StartWorker = Callable[..., Worker]
ONCE = Counter({("received", 0): 1, ("started", 0): 1, ("succeeded", 0): 1})
SILENT = ("--without-gossip", "--without-heartbeat", "--without-mingle")


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def cut_connections(worker: Worker) -> None:
    """Have Redis close all connections to the worker's database."""
    database = worker.url.rpartition("/")[2]
    before = worker.log.read_text().count("Connected to redis")
    with redis.Redis.from_url(worker.url) as client:
        own = client.client_id()
        for entry in client.client_list():
            if entry["db"] == database and int(entry["id"]) != own:
                client.client_kill_filter(_id=entry["id"])
    wait(
        lambda: worker.log.read_text().count("Connected to redis") > before,
        worker.log.read_text,
    )


@pytest.mark.parametrize("options", [(), SILENT, ("-E",)], ids=["default", "silent", "events"])
def test_capture_survives_a_lost_connection(
    start_worker: StartWorker, client_of: ClientOf, options: tuple[str, ...]
) -> None:
    """Traps 1 to 4: capture is there again, the worker lives, and nothing is told twice."""
    worker = start_worker("-P", "prefork", "-c", "1", *options)
    app = client_of(worker)
    for round_ in range(3):
        task_id = send(app, "add", round_, 1)
        worker.record.wait_for(task_id, "succeeded")
        assert worker.record.kinds(task_id) == ONCE
        if round_ < 2:
            cut_connections(worker)
    assert worker.process.poll() is None
    assert "z4j could not report" not in worker.log.read_text()


def test_messages_delivered_again_after_a_lost_connection_are_told_once(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    """The running task was not acknowledged and the others waited in the worker: all come again."""
    worker = start_worker("-P", "prefork", "-c", "1")
    app = client_of(worker)
    gate = tmp_path / "gate"
    running = send(app, "hold_late", str(gate))
    # First, because the worker takes four, and one more for each that is not due yet.
    due = send(app, "add", 7, 7, countdown=4)
    waiting = [send(app, "add", number, 1) for number in range(3)]
    worker.record.wait_for(running, "started")
    for task_id in (*waiting, due):
        worker.record.wait_for(task_id, "received")
    cut_connections(worker)
    again = (running, *waiting, due)
    wait(
        lambda: all(worker.log.read_text().count(f"[{one}] received") >= 2 for one in again),
        worker.log.read_text,
    )
    gate.touch()
    for task_id in (*waiting, due, running):
        worker.record.wait_for(task_id, "succeeded")
        assert worker.record.kinds(task_id)["succeeded", 0] == 1
    for task_id in (*waiting, due):
        assert worker.record.kinds(task_id) == ONCE


def test_no_task_event_goes_to_the_broker(
    start_worker: StartWorker, client_of: ClientOf, prefork: Worker
) -> None:
    channels = []
    with redis.Redis.from_url(prefork.url) as client, client.pubsub() as listener:
        listener.psubscribe("*")
        task_id = send(client_of(prefork), "add", 1, 1)
        prefork.record.wait_for(task_id, "succeeded")
        # Heartbeats of the worker come every two seconds: they show that the ear is open.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(b"celeryev" in name for name in channels):
            message = listener.get_message(timeout=0.5)
            if message is not None and message["type"] == "pmessage":
                channels.append(message["channel"])
    assert any(b"celeryev" in name for name in channels)
    assert not [name for name in channels if b"celeryev/task" in name]


def test_many_tasks_are_each_told_once(start_worker: StartWorker, client_of: ClientOf) -> None:
    worker = start_worker("-P", "prefork", "-c", "2")
    app = client_of(worker)
    flaky = [send(app, "flaky", number % 3) for number in range(150)]
    failing = [send(app, "fail", str(number)) for number in range(100)]
    fine = [send(app, "add", number, 1) for number in range(250)]
    expected: Counter[tuple[str, str, int]] = Counter()
    for number, task_id in enumerate(flaky):
        for attempt in range(number % 3 + 1):
            end = "succeeded" if attempt == number % 3 else "retried"
            kinds = ("received", "started", end, *(("published",) if attempt else ()))
            expected.update((task_id, kind, attempt) for kind in kinds)
    for ids, end in ((failing, "failed"), (fine, "succeeded")):
        for task_id in ids:
            expected.update((task_id, kind, 0) for kind in ("received", "started", end))

    def found() -> Counter[tuple[str, str, int]]:
        lines = [line for line in worker.record.lines() if "kind" in line]
        return Counter((line["id"], line["kind"], line["attempt"]) for line in lines)

    wait(lambda: found().total() >= expected.total(), lambda: str(expected - found()), 180, 0.5)
    time.sleep(0.5)
    assert found() == expected
