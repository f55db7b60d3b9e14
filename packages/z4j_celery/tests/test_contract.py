"""The contract of engines, with a real worker in this process, on each broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, Task
from celery.contrib.testing.worker import start_worker
from harness import wait

from services.rabbitmq import RabbitMQ
from z4j_celery.engine import CeleryEngine
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.testing.engine_contract import EngineContract
from z4j_core.testing.host import RecordingHost


class CeleryHarness:
    """An app whose tasks the contract needs; its worker runs in threads of this process."""

    def __init__(self, broker: str) -> None:
        self.host = RecordingHost()
        self.engine = CeleryEngine()
        self.engine.attach(self.host)
        self.app = Celery("contract", broker=broker, set_as_current=False)
        self.consumer: Any = None
        self._ran = set[str]()
        self._is_taken_up = False
        self.app.conf.update(task_default_queue="contract", worker_hijack_root_logger=False)

        @self.app.task(name="contract.succeed", shared=False, bind=True)
        def succeed(task: Task, value: int, *, password: str | None = None) -> int:
            self._ran.add(task.request.id)
            return value

        @self.app.task(name="contract.fail", shared=False)
        def fail(message: str) -> None:
            raise ValueError(message)

    def run_succeeding(self, value: int) -> str:
        return str(self.app.send_task("contract.succeed", (value,)).id)

    def run_failing(self, message: str) -> str:
        return str(self.app.send_task("contract.fail", (message,)).id)

    def run_with_secret(self, secret: str) -> str:
        return str(self.app.send_task("contract.succeed", (1,), {"password": secret}).id)

    def has_run(self, task_id: str) -> bool:
        return task_id in self._ran

    def leave_waiting(self, value: int) -> TaskRef:
        sent = self.app.send_task("contract.succeed", (value,), queue="aside")
        with self.app.connection_for_read() as connection:
            wait(lambda: self._is_taken_up or _depth(connection, "aside"), str)
        return TaskRef(str(sent.id), name="contract.succeed", queue="aside", state="queued")

    def take_up(self) -> None:
        self._is_taken_up = True
        self.consumer.call_soon(lambda: self.consumer.add_task_queue("aside"))


def _depth(connection: Any, queue: str) -> int:
    return int(connection.default_channel.queue_declare(queue, passive=True).message_count)


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, own_databases: Iterator[str]) -> str:
    """The URL of one broker for all tests; each leaves its queue empty."""
    if request.param == "redis":
        return next(own_databases)
    server: RabbitMQ = request.getfixturevalue("rabbitmq_server")
    return server.create_vhost()


class TestCelery(EngineContract):
    module = "z4j_celery.plugin"
    library = "celery"

    @pytest.fixture
    def harness(self, broker: str) -> Iterator[CeleryHarness]:
        harness = CeleryHarness(broker)
        with start_worker(
            harness.app,
            concurrency=1,  # so that its thread is there before a test looks at threads
            pool="threads",
            perform_ping_check=False,
            shutdown_timeout=60.0,
        ) as worker:
            harness.consumer = consumer = worker.consumer
            # Else its loop looks up only after ten seconds, when it is told to stop.
            consumer.call_soon(lambda: consumer.timer.call_repeatedly(0.2, bool))
            harness.host.wait_for(harness.run_succeeding(0), Kind.SUCCEEDED)
            yield harness
        harness.engine.detach()
        harness.app.close()
