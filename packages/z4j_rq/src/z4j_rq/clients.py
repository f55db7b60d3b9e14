"""Which Redis a connection leads to, and a client of our own for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from z4j_agent.places import is_local
from z4j_core.waiting import broker_id

TIMEOUT_S = 5


def identity_of(connection: Any) -> str:
    """Return the broker's id from host, port and database; no user, no password.

    What is reached through this machine alone (loopback, a socket) is told from the same address on
    other machines by the machine's name.
    """
    options = connection.connection_pool.connection_kwargs
    database = int(options.get("db") or 0)
    sentinel = getattr(connection.connection_pool, "service_name", None)
    if sentinel is not None:
        return broker_id("redis", "sentinel", str(sentinel), database)
    if path := options.get("path"):
        return broker_id("redis", "socket", str(path), database, socket.gethostname())
    host = str(options.get("host") or "localhost").lower()
    place = [socket.gethostname()] if is_local(host) else []
    return broker_id("redis", "tcp", host, int(options.get("port") or 6379), database, *place)


@contextmanager
def own_client(connection: Any) -> Iterator[Any]:
    """Open a client of our own, with time limits of a few seconds, and close it.

    RQ gives a worker's connection a time limit of minutes, and a connection that is open when the
    worker forks would be shared with the work horse.
    """
    from redis import ConnectionPool, Redis

    pool = connection.connection_pool
    options = {**pool.connection_kwargs, "socket_timeout": TIMEOUT_S}
    if "path" not in options:
        options["socket_connect_timeout"] = TIMEOUT_S
    own = ConnectionPool(connection_class=pool.connection_class, **options)
    client = Redis(connection_pool=own)
    try:
        yield client
    finally:
        client.close()
        own.disconnect()
