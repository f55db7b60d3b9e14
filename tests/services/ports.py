"""Free loopback ports."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below 32768, where Linux begins to hand out ports to outgoing connections: a service that
# is stopped and started again finds its port still free.
LOWEST, HIGHEST = 20_000, 32_000


def free_port() -> int:
    """A TCP port on 127.0.0.1, 20000 to 32000, that nobody listens on at this moment."""
    for port in random.sample(range(LOWEST, HIGHEST), 200):
        if _is_free(port):
            return port
    raise OSError(f"200 ports between {LOWEST} and {HIGHEST} on {HOST} were all taken")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
