"""Where a Huey keeps its data: what tells stores apart, and a connection of our own to one."""

from __future__ import annotations

import copy
import os
import socket
from typing import Any

from huey.storage import BlackHoleStorage, MemoryStorage

from z4j_agent.places import redis_place
from z4j_core.schedules import store_id

_Part = str | int | None


def identity_of(hueys: list[Any]) -> str:
    """Return the name of all stores of this process together, without users and passwords.

    It is the same in two processes only if all of them are, and none is in memory.
    """
    if any(_is_in_memory(huey.storage) for huey in hueys):
        return store_id("huey", socket.gethostname(), os.getpid())
    parts: list[_Part] = ["huey"]
    for huey in hueys:
        parts += [type(huey.storage).__name__, huey.storage.name, *_place(huey.storage)]
    return store_id(*parts)


def own_copy(huey: Any) -> Any:
    """Return a Huey with the same tasks, signals and data, and a connection of its own.

    What stands in this process's memory has no connection, and is shared.
    """
    own = copy.copy(huey)
    if not _is_in_memory(huey.storage):
        own.storage = huey.create_storage()
    return own


def _is_in_memory(storage: Any) -> bool:
    is_kept = not isinstance(storage, MemoryStorage | BlackHoleStorage)
    return not is_kept or getattr(storage, "filename", None) == ":memory:"


def _place(storage: Any) -> list[_Part]:
    if place := redis_place(getattr(storage, "pool", None)):
        return place
    filename = getattr(storage, "filename", None)
    if filename is not None:
        return [socket.gethostname(), os.path.realpath(filename)]
    return [socket.gethostname()]  # of a kind that says nothing of its place
