"""A host that writes every call to a file, from any process, and takes commands on a socket."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from z4j_core.capability import ActionError, NoParams
from z4j_core.events import TaskEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import Engine, Scheduler
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire


class RecordingHost:
    """Implements `Host`. One line is one `write` to a file opened for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine: Engine | Scheduler | None = None
        self._redactor = Redactor()
        self._served_by = 0

    def emit(self, event: TaskEvent) -> None:
        wire = to_wire(event, self._redactor)
        self._write(
            {
                "kind": wire.kind.value,
                "id": wire.task_id,
                "attempt": wire.attempt,
                "at": wire.occurred_at,
                "name": wire.name,
                "queue": wire.queue,
                "data": json.loads(wire.payload),
                "pid": os.getpid(),
            }
        )

    def defer(self, tell: Callable[..., object], *facts: Any) -> None:
        tell(*facts)

    def catch_up(self) -> None:
        pass

    def ensure_started(self, role: str, worker_name: str | None = None) -> None:
        self._write({"call": "ensure_started", "role": role, "worker": worker_name})
        if role != "publisher" and self.engine is not None and self._served_by != os.getpid():
            self._served_by = os.getpid()
            # Bound here, not on the thread: a worker that says "ready" can be asked.
            server = socket.socket(socket.AF_UNIX)
            server.bind(f"{self.path}.sock")
            server.listen()
            threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def open_relay(self) -> None:
        self._write({"call": "open_relay"})

    def stop(self, timeout_s: float = 0.8) -> None:
        self._write({"call": "stop"})

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        return task.sealed

    def _write(self, line: dict[str, Any]) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, json.dumps(line).encode() + b"\n")
        finally:
            os.close(handle)

    def _serve(self, server: socket.socket) -> None:
        with server:
            while True:
                connection, _ = server.accept()
                with connection, connection.makefile("rwb") as file:
                    file.write(self._act(json.loads(file.readline())) + b"\n")
                    file.flush()

    def _act(self, command: dict[str, Any]) -> bytes:
        assert self.engine is not None
        if command["action"] == "info":
            assert isinstance(self.engine, Engine)
            return msgspec.json.encode({"ok": self.engine.info()})
        if isinstance(self.engine, Scheduler) and command["action"] in ("schedules", "store"):
            told = getattr(self.engine, command["action"])()
            return msgspec.json.encode({"ok": told}, enc_hook=repr)
        params = type(self.engine).actions()[command["action"]].params
        target: Any = command["target"]
        if isinstance(target, dict):
            target = msgspec.convert(target, TaskRef)
        method = getattr(self.engine, command["action"])
        subject = () if target is None else (target,)
        try:
            result = method(*subject, msgspec.convert(command["params"], params or NoParams))
        except ActionError as error:
            return msgspec.json.encode({"error": str(error)})
        except Exception as error:
            return msgspec.json.encode({"crash": repr(error)})
        return msgspec.json.encode({"ok": result})
