"""What one connection says of schedules: those that the server elected this process to read."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial

from z4j_agent.schedules import ScheduleReader
from z4j_core.frames import Schedules, WatchSchedules

RESEND_S = 60.0
"""What has not changed is told again after this time, as a sign of life."""


class ScheduleTalk:
    """Lives on the driver's loop. `send` writes one frame to the link."""

    def __init__(
        self, reader: ScheduleReader, send: Callable[[Schedules], Awaitable[None]]
    ) -> None:
        self._reader = reader
        self._send = send
        self._stores: dict[str, str] = {}
        self._every_s = 0.0
        self._said: dict[str, tuple[Schedules, float]] = {}
        self._reading: set[str] = set()
        self._again: set[str] = set()
        self._polling: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def watch(self, watch: WatchSchedules) -> None:
        """Do as the server says: read these from now on, and tell them anew."""
        known = self._reader.names
        self._stores = {one.scheduler: one.store for one in watch.watched if one.scheduler in known}
        self._every_s = watch.every_s
        self._said.clear()
        if self._polling is not None:
            self._polling.cancel()
        self._polling = asyncio.get_running_loop().create_task(self._poll())

    def acted(self, scheduler: str) -> None:
        """An action of this scheduler was carried out: what it changed is told at once."""
        if scheduler in self._reading:
            self._again.add(scheduler)  # what is being read may be of before the change
        else:
            self._read(scheduler)

    def end(self) -> None:
        """The link is gone, and the election with it."""
        self._stores = {}
        for task in (self._polling, *self._telling):
            if task is not None:
                task.cancel()

    async def _poll(self) -> None:
        while self._stores:
            for name in self._stores:
                self._read(name)
            await asyncio.sleep(self._every_s)

    def _read(self, name: str) -> None:
        store = self._stores.get(name)
        if store is None or name in self._reading:
            return
        self._reading.add(name)
        self._reader.read(name, store, partial(self._take, name))

    def _take(self, name: str, found: Schedules) -> None:
        self._reading.discard(name)
        if name in self._again:
            self._again.discard(name)
            self._read(name)
        if self._stores.get(name) != found.store:
            return
        said, at = self._said.get(name, (None, 0.0))
        now = time.monotonic()
        if found == said and now - at < RESEND_S:
            return
        self._said[name] = (found, now)
        task = asyncio.get_running_loop().create_task(self._tell(found))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, found: Schedules) -> None:
        # A socket that is gone is the reader's to report.
        with contextlib.suppress(Exception):
            await self._send(found)
