"""The consumer bootstep that puts capture in place at every (re)connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from celery import bootsteps


class Tap:
    """Stands in for an event dispatcher that is missing or switched off.

    Celery asks the dispatcher once, when it prepares to take tasks, whether events are wanted,
    and reports no success if not. This one says yes; what it is sent goes on to the dispatcher
    behind it, if there is one, which publishes what it would have published anyway.
    """

    enabled = True

    def __init__(self, real: Any) -> None:
        self.real = real
        if real is None:
            # asynloop reads `connection`; Events._close reads `groups` and hands them on.
            self.connection: Any = None
            self.groups: set[str] = set()
            self.on_enabled: set[Any] = set()
            self.on_disabled: set[Any] = set()
            self._outbound_buffer: deque[Any] = deque()

    def send(self, type: str, *args: Any, **fields: Any) -> Any:
        """Pass an event on."""
        return None if self.real is None else self.real.send(type, *args, **fields)

    def __getattr__(self, name: str) -> Any:
        real = self.__dict__.get("real")
        if real is not None:
            return getattr(real, name)
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Do what a dispatcher without a connection does."""


def tap_step(observe: Callable[[Any], None]) -> type:
    """Return a bootstep that calls `observe` with the consumer whenever it (re)starts."""

    class TapStep(bootsteps.StartStopStep):  # type: ignore[misc]
        """Observes the consumer's tasks."""

        name = "z4j"
        requires = ("celery.worker.consumer.events:Events",)

        def start(self, consumer: Any) -> None:
            observe(consumer)

    return TapStep


def tap(consumer: Any) -> None:
    """Make the consumer's strategies report successes, whatever its event options are."""
    dispatcher = consumer.event_dispatcher
    if not isinstance(dispatcher, Tap) and not getattr(dispatcher, "enabled", False):
        consumer.event_dispatcher = Tap(dispatcher)
