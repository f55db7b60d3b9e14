"""Which kind of broker a broker is: told without importing clients that are not installed."""

from __future__ import annotations

from typing import Any

REDIS, RABBITMQ, STUB, OTHER = "redis", "rabbitmq", "memory", "other"
_MODULES = {
    "dramatiq.brokers.redis": REDIS,
    "dramatiq.brokers.rabbitmq": RABBITMQ,
    "dramatiq.brokers.stub": STUB,
}


def kind_of(broker: Any) -> str:
    """Return the kind of a broker, also of a subclass of Dramatiq's own."""
    for base in type(broker).__mro__:
        if base.__module__ in _MODULES:
            return _MODULES[base.__module__]
    return OTHER
