"""Workers in this process, on real Redis or on Dramatiq's stub."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

sys.path.insert(0, str(Path(__file__).parent / "apps"))

from dramatiq_stand import Shop


@pytest.fixture(autouse=True)
def quick_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that was paused begins anew after three seconds otherwise."""
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.05)


@pytest.fixture
def shop(redis_url: str) -> Iterator[Shop]:
    """A shop on real Redis."""
    shop = Shop(lambda: RedisBroker(url=redis_url))
    yield shop
    shop.close()
    shop.broker.client.close()
    shop.broker.client.connection_pool.disconnect()


@pytest.fixture
def rabbit_shop(rabbitmq_url: str) -> Iterator[Shop]:
    """A shop on real RabbitMQ."""
    shop = Shop(lambda: RabbitmqBroker(url=rabbitmq_url))
    yield shop
    shop.close()


@pytest.fixture
def stub_shop() -> Iterator[Shop]:
    """A shop on the broker that Dramatiq ships for tests."""
    shop = Shop(StubBroker)
    yield shop
    shop.close()
