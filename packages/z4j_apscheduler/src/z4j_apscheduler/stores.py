"""Which job stores a scheduler has: what tells them apart, and whether they outlive the process."""

from __future__ import annotations

import os
import socket
from typing import Any

from z4j_agent.places import redis_place
from z4j_core.schedules import store_id

_Part = str | int | None


def stores_of(scheduler: Any) -> dict[str, Any]:
    """Return the job stores of a scheduler by their names, made when it was started."""
    return dict(scheduler._jobstores)


def is_lasting(store: Any) -> bool:
    """Tell whether what is in a store outlives the process."""
    return type(store).__name__ != "MemoryJobStore"


def identity_of(schedulers: list[Any]) -> str:
    """Return the name of all stores of this process together.

    It is the same in two processes only if all of them are, and none is in memory.
    """
    stores = [entry for one in schedulers for entry in sorted(stores_of(one).items())]
    if not all(is_lasting(store) for _, store in stores):
        return store_id("apscheduler", socket.gethostname(), os.getpid())
    parts: list[_Part] = ["apscheduler"]
    for alias, store in stores:
        parts += [alias, type(store).__name__, *_place(store)]
    return store_id(*parts)


def _place(store: Any) -> list[_Part]:
    """Return where a store is, without users and passwords."""
    engine = getattr(store, "engine", None)
    if engine is not None:
        url = engine.url
        table = getattr(store, "jobs_t", None)
        host = url.host or socket.gethostname()
        return [url.drivername, host, url.port, url.database, str(table)]
    client = getattr(store, "redis", None)
    if client is not None:
        return [*redis_place(client.connection_pool), str(store.jobs_key)]
    return [socket.gethostname()]  # of a kind that says nothing of its place
