"""The contract of engines, on real Redis and RabbitMQ with a worker in this process."""

from __future__ import annotations

import pytest
from dramatiq_stand import Shop, wait

from z4j_core.events import Kind
from z4j_core.testing import RecordingHost
from z4j_core.testing.engine_contract import EngineContract

RAN: list[int] = []


class Harness:
    def __init__(self, shop: Shop) -> None:
        self.engine, self.host = shop.engine, shop.host
        self._succeed = shop.actor(succeed)
        self._fail = shop.actor(fail)
        self._sign_in = shop.actor(sign_in)
        self._values = dict[str, int]()
        RAN.clear()
        shop.work(threads=1)

    host: RecordingHost

    def run_succeeding(self, value: int) -> str:
        task_id = str(self._succeed.send(value).message_id)
        self._values[task_id] = value
        return task_id

    def run_failing(self, message: str) -> str:
        return str(self._fail.send(message).message_id)

    def run_with_secret(self, secret: str) -> str:
        return str(self._sign_in.send("ada", password=secret).message_id)

    def has_run(self, task_id: str) -> bool:
        return self._values[task_id] in RAN


def succeed(value: int) -> None:
    """Succeeds."""
    RAN.append(value)


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
        rabbit_shop.broker.declare_queue("default", ensure=True)
        consumers = rabbit_shop.workers[0].consumers.values()
        wait(lambda: all(consumer.consumer is not None for consumer in consumers))
        return harness
