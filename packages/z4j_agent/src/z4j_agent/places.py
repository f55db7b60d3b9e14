"""Where brokers and stores are: what tells them apart, without users and passwords."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any


def is_local(host: str) -> bool:
    """Tell whether a host, or the path of a socket, is reached through this machine alone."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def redis_place(pool: Any) -> list[str | int | None]:
    """Return host, port and database of a pool of redis-py, [] of anything else.

    What is reached through this machine alone has its name too.
    """
    options = getattr(pool, "connection_kwargs", None)
    if not isinstance(options, dict):
        return []
    host = str(options.get("path") or options.get("host") or "localhost").lower()
    place: list[str | int | None] = [
        host,
        int(options.get("port") or 6379),
        int(options.get("db") or 0),
    ]
    return [*place, socket.gethostname()] if is_local(host) else place
