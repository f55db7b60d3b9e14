"""The tasks that were cancelled through z4j: known to this process, and on Redis to all.

On Redis the ids stand in a sorted set beside the queues, by the time of their cancellation. A
process reads what is new in it before it starts a message, at most once a second.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Any

from z4j_dramatiq.guard import complain
from z4j_dramatiq.kinds import REDIS, kind_of

MAX_CANCELLED = 50_000
REFRESH_S = 1.0
OVERLAP_MS = 60_000
"""Read again at each look: the clocks of two processes differ."""
KEPT_MS = 60 * 86_400_000


class Cancelled:
    """Makes a cancel stick. Thread-safe."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self._asking = Lock()
        self._looked: dict[int, tuple[float, int]] = {}

    def add(self, broker: Any, task_ids: list[str]) -> bool:
        """Remember cancelled tasks; return whether the other processes of the broker learn of it.

        Raise what the broker's client raises; this process knows them all the same.
        """
        for task_id in task_ids:
            self._put(task_id)
        if not is_shared(broker):
            return False
        now = int(time.time() * 1000)
        key = _key(broker)
        with broker.client.pipeline(transaction=False) as pipe:
            for start in range(0, len(task_ids), 500):
                pipe.zadd(key, dict.fromkeys(task_ids[start : start + 500], now))
            pipe.zremrangebyscore(key, 0, now - KEPT_MS)
            pipe.zremrangebyrank(key, 0, -MAX_CANCELLED - 1)
            pipe.execute()
        return True

    def has(self, broker: Any, task_id: str) -> bool:
        """Tell whether a task was cancelled. Never raises."""
        # Asked for every message: the usual answer first.
        if not self._is_fresh(broker) and is_shared(broker):
            self._refresh(broker)
        return task_id in self._ids

    def _refresh(self, broker: Any) -> None:
        # The other threads wait for the answer: what they are about to start may be in it.
        with self._asking:
            if self._is_fresh(broker):
                return
            _, since = self._looked.get(id(broker), (0.0, 0))
            begun, asked_ms = time.monotonic(), int(time.time() * 1000)
            try:
                told = broker.client.zrangebyscore(_key(broker), max(0, since), "+inf")
            except Exception:  # noqa: BLE001 - a broker's client raises what it likes
                complain("Cancelled.has")
                told, asked_ms = [], since + OVERLAP_MS
            for task_id in told:
                self._put(task_id.decode() if isinstance(task_id, bytes) else str(task_id))
            self._looked[id(broker)] = (begun, asked_ms - OVERLAP_MS)

    def _is_fresh(self, broker: Any) -> bool:
        looked = self._looked.get(id(broker))
        return looked is not None and time.monotonic() - looked[0] < REFRESH_S

    def _put(self, task_id: str) -> None:
        with self._lock:
            self._ids[task_id] = None
            if len(self._ids) > MAX_CANCELLED:
                self._ids.popitem(last=False)


def is_shared(broker: Any) -> bool:
    """Tell whether all processes of this broker learn of a cancel."""
    return kind_of(broker) == REDIS


def _key(broker: Any) -> str:
    return f"{broker.namespace}:z4j.cancelled"
