"""A recording host that hears forked processes too, by the relay of the real agent."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from z4j_agent.relay import MAX_DATAGRAM, RelayWriter, open_pair
from z4j_core.events import TaskEvent, WireEvent
from z4j_core.frames import TaskRef
from z4j_core.redaction import Redactor
from z4j_core.testing import RecordingHost
from z4j_core.testing.host import data_of
from z4j_core.to_wire import to_wire

_decode = msgspec.msgpack.Decoder(WireEvent).decode


class RelayingHost(RecordingHost):
    """Use `close` at the end. The reading thread runs from the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.pid = os.getpid()
        self.sealed: dict[str, bytes] = {}
        self._own, self._children = open_pair()
        self._own.setblocking(True)
        self._writer = RelayWriter(self._children)
        self._children_redactor = Redactor()
        self._thread = threading.Thread(target=self._read, name="relaying-host", daemon=True)
        self._thread.start()

    def emit(self, event: TaskEvent) -> None:
        """Record here, or hand over to the parent."""
        if os.getpid() == self.pid:
            self._keep_original(event)
            super().emit(event)
            return
        assert self._writer.send(to_wire(event, self._children_redactor))

    def defer(self, tell: Callable[..., object], *facts: Any) -> None:
        tell(*facts)

    def catch_up(self) -> None:
        pass

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        return self.sealed.get(task.task_id)

    def kinds(self, task_id: str) -> list[tuple[str, int]]:
        """Return kind and attempt of a task's events, sorted by attempt and time."""
        events = sorted(self.of_task(task_id), key=lambda event: (event.attempt, event.occurred_at))
        return [(event.kind.value, event.attempt) for event in events]

    def data(self, task_id: str, kind: str, attempt: int = 0) -> dict[str, Any]:
        """Return the data of the one event of this kind and attempt."""
        [found] = [
            event
            for event in self.of_task(task_id)
            if (event.kind.value, event.attempt) == (kind, attempt)
        ]
        return {**data_of(found), "at": found.occurred_at, "name": found.name, "queue": found.queue}

    def close(self) -> None:
        self._own.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._own.close()
        self._children.close()

    def _keep_original(self, event: TaskEvent) -> None:
        make = event.data.get("original")
        if make is not None and (original := make()) is not None:
            self.sealed[event.task_id] = original

    def _read(self) -> None:
        while True:
            try:
                datagram = self._own.recv(MAX_DATAGRAM + 1)
            except OSError:
                return
            if not datagram:
                return
            event = _decode(datagram)
            with self._changed:
                self.events.append(event)
                self._changed.notify_all()
