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
        import secrets
        import socket

        host, pid = socket.gethostname()[:100] or "localhost", os.getpid()
        return cls(
            worker_id=(worker_name or f"{host}:{role}:{pid}")[:255],
            epoch=secrets.token_hex(16),
            role=role[:255],
            host=host,
            pid=pid,
            started_at=time.time_ns() // 1000,
        )
