"""The name of the queue behind an exchange and a routing key."""

from __future__ import annotations

from typing import Any

MAX_NAMES = 10_000


class QueueNames:
    """Resolves and remembers queue names, as far as the app's configuration tells them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str | None, str | None], str | None] = {}

    def of(self, app: Any, exchange: str | None, routing_key: str | None) -> str | None:
        """Return the queue that a message came through, or its routing key."""
        key = (exchange, routing_key)
        if key in self._names:
            return self._names[key]
        if len(self._names) >= MAX_NAMES:
            self._names.clear()
        name = self._names[key] = _resolve(app, exchange, routing_key)
        return name


def _resolve(app: Any, exchange: str | None, routing_key: str | None) -> str | None:
    queues = app.amqp.queues
    if not exchange or routing_key in queues:
        return routing_key
    bound = [queue for queue in queues.consume_from.values() if queue.exchange.name == exchange]
    for queue in bound:
        if queue.routing_key == routing_key:
            return str(queue.name)
    return str(bound[0].name) if len(bound) == 1 else routing_key


def published_to(declare: Any, routing_key: Any) -> str | None:
    """Return the queue that a message is published to, or its routing key."""
    for entity in declare or ():
        if hasattr(entity, "routing_key"):
            return str(entity.name)
    return routing_key if isinstance(routing_key, str) else None
