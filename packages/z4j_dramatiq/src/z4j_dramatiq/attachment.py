"""Where capture hooks into Dramatiq itself: brokers that are made, and groups that are run."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import dramatiq
from dramatiq import broker as brokers_of_dramatiq

from z4j_dramatiq.capture import Capture
from z4j_dramatiq.guard import complain
from z4j_dramatiq.middleware import place, take_out


class Attachment:
    """Puts the middlewares into the global broker and into each that is made from now on."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._brokers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._make = dramatiq.Broker.__init__
        self._run = dramatiq.group.run
        dramatiq.Broker.__init__ = self._observed_make()  # type: ignore[method-assign]
        dramatiq.group.run = self._observed_run()  # type: ignore[method-assign]
        if brokers_of_dramatiq.global_broker is not None:
            self.add(brokers_of_dramatiq.global_broker)

    def add(self, broker: Any) -> None:
        """Report what happens to the messages of a broker; again does no harm."""
        place(broker, self._capture)
        self._brokers.add(broker)

    def brokers(self) -> list[Any]:
        """Return the brokers of this process: those whose messages or actors are known."""
        return [one for one in list(self._brokers) if one.actors or one.queues]

    def remove(self) -> None:
        """Undo everything."""
        dramatiq.Broker.__init__ = self._make  # type: ignore[method-assign]
        dramatiq.group.run = self._run  # type: ignore[method-assign]
        for broker in list(self._brokers):
            take_out(broker, self._capture)
        self._brokers.clear()

    def _observed_make(self) -> Callable[..., None]:
        make = self._make

        @functools.wraps(make)
        def observed(broker: Any, *args: Any, **kwargs: Any) -> None:
            make(broker, *args, **kwargs)
            try:
                self.add(broker)
            except Exception:  # noqa: BLE001 - the host goes on without z4j
                complain("Attachment.add")

        return observed

    def _observed_run(self) -> Callable[..., Any]:
        run: Any = self._run
        current = self._capture.process.group

        @functools.wraps(run)
        def observed(group: Any, *args: Any, **kwargs: Any) -> Any:
            # Dramatiq gives a group an id only if it has completion callbacks.
            token = current.set(current.get() or str(uuid4()))
            try:
                return run(group, *args, **kwargs)
            finally:
                current.reset(token)

        return observed
