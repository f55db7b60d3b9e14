"""Dramatiq's plugins in each kind of process. Brokers connect when they are used: these are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from offers import Asked

from z4j_core.testing import RecordingHost
from z4j_dramatiq.engine import DramatiqEngine
from z4j_dramatiq.periodic import PeriodiqScheduler

_BROKERS: dict[str, Callable[[], Any]] = {
    "Redis": lambda: RedisBroker(url="redis://localhost"),
    "RabbitMQ": lambda: RabbitmqBroker(url="amqp://localhost"),
    "other brokers": StubBroker,
}


def engine() -> Asked:
    """Return the engine without a broker, in publishers, and in workers on each broker."""
    yield from _asked("processes without a broker", None, is_worker=False)
    yield from _asked("publishers", _BROKERS["Redis"], is_worker=False)
    for name, make in _BROKERS.items():
        yield from _asked(f"workers on {name}", make, is_worker=True)


def _asked(where: str, make: Callable[[], Any] | None, *, is_worker: bool) -> Asked:
    plugin = DramatiqEngine()
    plugin.attach(RecordingHost())
    if make is not None:
        broker = make()
        dramatiq.actor(actor_name="nothing", broker=broker)(_nothing)
        if is_worker:
            plugin._attached()[0].process.on_worker_boot(dramatiq.Worker(broker))
    yield where, plugin
    plugin.detach()


def _nothing() -> None:
    """Do nothing."""


def periodiq() -> Asked:
    """Return Periodiq."""
    yield "everywhere", PeriodiqScheduler()
