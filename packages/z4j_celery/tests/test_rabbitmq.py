"""The same on RabbitMQ: capture, actions, a broker that falls, a queue that it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from harness import Worker, wait
from kombu import Connection

from services.rabbitmq import RabbitMQ

ClientOf = Callable[[Worker], Celery]
ONCE = Counter({("received", 0): 1, ("started", 0): 1, ("succeeded", 0): 1})


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def task(task_id: str, name: str) -> dict[str, Any]:
    return {"task_id": task_id, "name": f"celery_shop.{name}", "queue": "shop"}


def waiting_in(url: str, queue: str) -> int:
    with Connection(url) as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue, passive=True).message_count)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, rabbitmq_server: RabbitMQ) -> Iterator[Worker]:
    """A prefork worker with two children, without a result backend."""
    folder = tmp_path_factory.mktemp("rabbit")
    url = rabbitmq_server.create_vhost()
    worker = Worker(folder, url, "-P", "prefork", "-c", "2", RESULTS="")
    yield worker.wait_until_ready()
    worker.stop()


def test_each_end_is_told_once(worker: Worker, client_of: ClientOf) -> None:
    app = client_of(worker)
    fine, failing, flaky = send(app, "add", 2, 3), send(app, "fail", "x"), send(app, "flaky", 1)
    assert worker.record.wait_for(fine, "succeeded")["data"]["result"] == 5
    worker.record.wait_for(failing, "failed")
    worker.record.wait_for(flaky, "succeeded", attempt=1)
    assert worker.record.kinds(fine) == ONCE
    received = worker.record.wait_for(fine, "received")
    assert (received["queue"], received["data"]["args"]) == ("shop", [2, 3])
    assert worker.record.kinds(flaky) == Counter(
        [("received", 0), ("started", 0), ("retried", 0)]
        + [(kind, 1) for kind in ("published", "received", "started", "succeeded")]
    )


def test_a_waiting_task_is_cancelled_and_a_running_one_terminated(
    worker: Worker, client_of: ClientOf
) -> None:
    app = client_of(worker)
    running = [send(app, "sleep", 600) for _ in range(2)]
    for task_id in running:
        worker.record.wait_for(task_id, "started")
    waiting = send(app, "add", 1, 1)
    worker.record.wait_for(waiting, "received")
    assert worker.name in worker.act("cancel", task(waiting, "add"))["ok"]["outcome"]
    for task_id in running:
        assert "SIGTERM" in worker.act("terminate", task(task_id, "sleep"))["ok"]["outcome"]
    for task_id in (*running, waiting):
        worker.record.wait_for(task_id, "cancelled")
        assert worker.record.kinds(task_id)["cancelled", 0] == 1
    assert worker.record.kinds(waiting)["started", 0] == 0


def test_a_task_is_retried_with_what_it_really_got(worker: Worker, client_of: ClientOf) -> None:
    old = send(client_of(worker), "fail", "no stock", kwargs={"password": "tulip-7"})
    worker.record.wait_for(old, "failed")
    new = worker.act("retry", task(old, "fail"))["ok"]["task_id"]
    end = worker.record.wait_for(new, "failed")
    assert end["data"]["exception"] == {"type": "ValueError", "message": "no stock"}


def test_a_queue_is_purged(worker: Worker, client_of: ClientOf) -> None:
    app = client_of(worker)
    for number in range(7):
        send(app, "add", number, 1, queue="idle")
    wait(lambda: waiting_in(worker.url, "idle") == 7, lambda: "seven were sent")
    assert worker.act("purge", "idle")["ok"] == {"deleted": 7}
    assert waiting_in(worker.url, "idle") == 0
    assert "no queue 'never-seen'" in worker.act("purge", "never-seen")["error"]


def test_a_queue_that_the_broker_refuses_does_not_harm_the_worker(
    worker: Worker, client_of: ClientOf
) -> None:
    """A refused declaration closes its channel: on the consumer's, the worker would be deaf."""
    with Connection(worker.url) as connection, connection.channel() as channel:
        channel.queue_declare(
            "other", durable=True, auto_delete=False, arguments={"x-expires": 99_000}
        )
    assert "refused" in worker.act("add_consumer", queue="other")["error"]
    assert "refused" in worker.act("add_consumer", queue="amq.mine")["error"]
    worker.record.wait_for(send(client_of(worker), "add", 1, 1), "succeeded")


def test_a_queue_is_paused_and_resumed(worker: Worker, client_of: ClientOf) -> None:
    app = client_of(worker)
    assert worker.act("cancel_consumer", queue="shop")["ok"] == {"queues": []}
    waiting = send(app, "add", 1, 1)
    wait(lambda: waiting_in(worker.url, "shop") == 1, lambda: "one was sent")
    assert worker.act("add_consumer", queue="shop")["ok"] == {"queues": ["shop"]}
    worker.record.wait_for(waiting, "succeeded")


def test_capture_survives_a_lost_connection(
    worker: Worker, rabbitmq_server: RabbitMQ, client_of: ClientOf, tmp_path: Path
) -> None:
    """Traps 1 to 4. What ran was not acknowledged, so its message comes again; a queue that was
    paused and resumed is consumed by the new connection, too.
    """
    app = client_of(worker)
    worker.act("cancel_consumer", queue="shop")
    worker.act("add_consumer", queue="shop")
    gate = tmp_path / "gate"
    running = send(app, "hold_late", str(gate))
    worker.record.wait_for(running, "started")
    rabbitmq_server.cut(worker.url)
    wait(lambda: worker.log.read_text().count(f"[{running}] received") == 2, worker.log.read_text)
    gate.touch()
    after = send(app, "add", 1, 1)
    worker.record.wait_for(after, "succeeded")
    worker.record.wait_for(running, "succeeded")
    assert worker.record.kinds(after) == ONCE
    assert worker.record.kinds(running)["succeeded", 0] == 1
    assert worker.process.poll() is None
    assert "z4j could not report" not in worker.log.read_text()
