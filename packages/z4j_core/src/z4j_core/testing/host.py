"""A host that records what a plugin emits, through the same redaction as the real agent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from z4j_core.events import Kind, TaskEvent, WireEvent
from z4j_core.frames import TaskRef
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire


class RecordingHost:
    """Implements `z4j_core.plugins.Host` in memory. Thread-safe."""

    def __init__(self) -> None:
        self.raw: list[TaskEvent] = []
        self.events: list[WireEvent] = []
        self.started: list[tuple[str, str | None]] = []
        self.stopped = 0
        self.relays_opened = 0
        self._redactor = Redactor()
        self._changed = threading.Condition()

    def emit(self, event: TaskEvent) -> None:
        """Record the event as it would travel."""
        with self._changed:
            self.raw.append(event)
            self.events.append(to_wire(event, self._redactor))
            self._changed.notify_all()

    def defer(self, tell: Callable[..., object], *facts: Any) -> None:
        """Tell it at once."""
        tell(*facts)

    def catch_up(self) -> None:
        """Nothing waits here."""

    def ensure_started(self, role: str, worker_name: str | None = None) -> None:
        """Record the role."""
        self.started.append((role, worker_name))

    def open_relay(self) -> None:
        """Count the call; events of forked children are not seen by this host."""
        self.relays_opened += 1

    def stop(self, timeout_s: float = 0.8) -> None:
        """Count the call."""
        self.stopped += 1

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        """Return what `task.sealed` is: this host seals nothing."""
        return task.sealed

    def of_task(self, task_id: str) -> list[WireEvent]:
        """Return the events of one task in the order of their times."""
        with self._changed:
            found = [event for event in self.events if event.task_id == task_id]
        return sorted(found, key=lambda event: event.occurred_at)

    def wait_for(self, task_id: str, kind: Kind, timeout_s: float = 60.0) -> WireEvent:
        """Return the first event of this task and kind, waiting for it."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for event in self.events:
                    if event.task_id == task_id and event.kind is kind:
                        return event
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    seen = [event.kind.value for event in self.events if event.task_id == task_id]
                    raise TimeoutError(f"no {kind.value} of task {task_id}; seen: {seen}")
                self._changed.wait(remaining)


def data_of(event: WireEvent) -> dict[str, Any]:
    """Return the decoded payload of an event."""
    return msgspec.json.decode(event.payload, type=dict[str, Any])
