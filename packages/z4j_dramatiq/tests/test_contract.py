"""The contract of engines, on real Redis and RabbitMQ with a worker in this process."""

from __future__ import annotations

from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq_stand import Shop, wait

from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.testing import RecordingHost
from z4j_core.testing.engine_contract import EngineContract


class Ran(dramatiq.Middleware):
    """The ids of the messages that were run, as Dramatiq tells them."""

    def __init__(self) -> None:
        self.ids = set[str]()

    def after_process_message(self, broker: Any, message: Any, **_: Any) -> None:
        self.ids.add(message.message_id)


class Harness:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.engine, self.host = shop.engine, shop.host
        self._ran = Ran()
        shop.broker.add_middleware(self._ran)
        self._succeed = shop.actor(succeed)
        self._fail = shop.actor(fail)
        self._sign_in = shop.actor(sign_in)
        self._aside = shop.actor(succeed, actor_name="aside", queue_name="aside")
        shop.work(threads=1, queues={"default"})

    host: RecordingHost

    def run_succeeding(self, value: int) -> str:
        return str(self._succeed.send(value).message_id)

    def run_failing(self, message: str) -> str:
        return str(self._fail.send(message).message_id)

    def run_with_secret(self, secret: str) -> str:
        return str(self._sign_in.send("ada", password=secret).message_id)

    def has_run(self, task_id: str) -> bool:
        return task_id in self._ran.ids

    def leave_waiting(self, value: int) -> TaskRef:
        task_id = str(self._aside.send(value).message_id)
        wait(lambda: len(self.shop.workers) > 1 or self._waiting())
        return TaskRef(task_id, name="aside", queue="aside", state="queued")

    def take_up(self) -> None:
        self.shop.work(threads=1, queues={"aside"})

    def _waiting(self) -> int:
        """Ask the broker itself."""
        if isinstance(self.shop.broker, RabbitmqBroker):
            return self.shop.broker.get_queue_message_counts("aside")[0]
        return int(self.shop.broker.client.llen("dramatiq:aside"))


def succeed(value: int) -> None:
    """Succeeds."""


def fail(message: str) -> None:
    """Fails."""
    raise ValueError(message)


def sign_in(user: str, *, password: str) -> None:
    """Takes a secret."""


class TestDramatiqContract(EngineContract):
    module = "z4j_dramatiq.plugin"
    library = "dramatiq"

    @pytest.fixture
    def harness(self, shop: Shop) -> Harness:
        return Harness(shop)

    def test_the_kinds_of_an_undelayed_task(self, harness: Harness) -> None:
        task_id = harness.run_succeeding(1)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        kinds = [event.kind for event in harness.host.of_task(task_id)]
        assert kinds == [Kind.PUBLISHED, Kind.STARTED, Kind.SUCCEEDED]


class TestDramatiqOnRabbitMQ(TestDramatiqContract):
    @pytest.fixture
    def harness(self, rabbit_shop: Shop) -> Harness:
        harness = Harness(rabbit_shop)
        # To connect, its client starts a thread for a moment: all connections are made before.
        for queue in ("default", "aside"):
            rabbit_shop.broker.declare_queue(queue, ensure=True)
        consumers = rabbit_shop.workers[0].consumers.values()
        wait(lambda: all(consumer.consumer is not None for consumer in consumers))
        return harness
