"""Who this process is."""

from __future__ import annotations

import os
import time

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """One incarnation of a process: `worker_id` names it, `epoch` tells it from earlier ones."""

    worker_id: str
    epoch: str
    role: str
    host: str
    pid: int
    started_at: int

    @classmethod
    def of_this_process(cls, role: str, worker_name: str | None) -> Identity:
        """Return a new identity; `epoch` is 128 random bits, as hexadecimal."""
        import socket

        host, pid = storable(socket.gethostname(), 100) or "localhost", os.getpid()
        return cls(
            worker_id=storable(worker_name or f"{host}:{role}:{pid}", 255),
            epoch=os.urandom(16).hex(),
            role=storable(role, 255),
            host=host,
            pid=pid,
            started_at=time.time_ns() // 1000,
        )


def storable(text: str, limit: int) -> str:
    """Return text that the protocol can carry and a database can store, at most `limit` long."""
    safe = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
