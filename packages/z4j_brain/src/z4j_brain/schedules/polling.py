"""Has each store of schedules read by one worker, and folds what it tells into the record.

As with queues (`queues.sampling`), links hand over what agents tell, nothing of that waits for the
database, and the claims stand in the database, so replicas agree.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from uuid import UUID

import msgspec

from z4j_brain.clock import now
from z4j_brain.ingest.cleaning import clean_text
from z4j_brain.ingest.writer import Feed
from z4j_brain.live.changes import MAX_ISSUES, Changes
from z4j_brain.redaction.cleaner import Cleaner
from z4j_brain.schedules.preparing import prepared
from z4j_brain.store import schedule_election, schedules_write
from z4j_brain.store.database import Database
from z4j_brain.store.schedule_election import ELECTION, StoreAssignment, StoreKey, ToldStore
from z4j_brain.store.schedules_write import Reading
from z4j_brain.turns import TICK_S, Turns
from z4j_core import frames

log = logging.getLogger("z4j.schedules")

POLL_S = 5.0
"""How often a store is read: changes made elsewhere are seen within this time."""
PATIENCE_US = 150_000_000
"""An elected worker tells something at least once a minute."""
MAX_WATCHED = 16


class Links(Protocol):
    """What is needed of the registry."""

    def watch(self, worker_row: UUID, watch: frames.WatchSchedules) -> bool:
        """Tell a worker what to read; tell whether it has an open link."""


class Counters(msgspec.Struct):
    """Counts since the start. `refused` counts readings of stores that their sender was not to
    read, and stores beyond what a project may have.
    """

    readings: int = 0
    refused: int = 0
    claims: int = 0


class Polling(Turns):
    """One for a process, on its event loop."""

    def __init__(
        self,
        database: Database,
        links: Links,
        hub: Feed,
        cleaner_of: Callable[[UUID], Cleaner],
        *,
        every_s: float = POLL_S,
        tick_s: float = TICK_S,
    ) -> None:
        super().__init__("the care of schedules", tick_s)
        self.counters = Counters()
        self._database = database
        self._links = links
        self._hub = hub
        self._cleaner_of = cleaner_of
        self._every_s = every_s
        self._told: dict[UUID, list[ToldStore]] = {}
        self._readings: dict[StoreKey, tuple[UUID, int, frames.Schedules]] = {}
        self._sent: dict[UUID, frames.WatchSchedules] = {}

    # ---- called by links -------------------------------------------------------------------

    def told(
        self, worker_row: UUID, project_id: UUID, schedulers: Iterable[frames.SchedulerInfo]
    ) -> None:
        """Take which schedulers the process of a new link can read; it watches nothing yet."""
        self._sent.pop(worker_row, None)
        stores = [
            ToldStore(StoreKey(project_id, one.name, one.store), one.engine, one.lag_s)
            for one in schedulers
        ]
        if stores:
            self._told[worker_row] = stores
            self.hurry()

    def read(self, worker_row: UUID, project_id: UUID, schedules: frames.Schedules) -> None:
        """Take a reading of a store that the worker was told to read, and of no other."""
        watch = self._sent.get(worker_row)
        one = frames.WatchedStore(schedules.scheduler, schedules.store)
        if watch is None or one not in watch.watched:
            self.counters.refused += 1
            return
        key = StoreKey(project_id, one.scheduler, one.store)
        self._readings[key] = (worker_row, now(), schedules)
        self.hurry()

    def link_ended(self, worker_row: UUID) -> None:
        """Elect others in place of a worker whose link is gone; its row says so already."""
        if self._sent.pop(worker_row, None) is not None:
            self.hurry()

    # ---- the turns -------------------------------------------------------------------------

    async def turn(self) -> None:
        """Write what came in, make the claims that are due, tell the workers."""
        await self._write_told()
        await self._write_readings()
        await self._elect()

    async def _write_told(self) -> None:
        told, self._told = self._told, {}
        try:
            while told:
                row = next(iter(told))
                left_out = await self._database.run(
                    schedule_election.replace, row, told[row], now(), write=True
                )
                del told[row]
                self.counters.refused += left_out
                if left_out:
                    log.warning(
                        "%d stores of schedules are not read: a project may have %d",
                        left_out,
                        schedule_election.MAX_STORES,
                    )
        finally:
            self._told = told | self._told

    async def _write_readings(self) -> None:
        readings, self._readings = self._readings, {}
        try:
            while readings:
                key = next(iter(readings))
                reading = await asyncio.to_thread(
                    _reading, key, *readings[key], self._cleaner_of(key.project_id)
                )
                folded = await self._database.run(schedules_write.fold, reading, write=True)
                del readings[key]
                self.counters.readings += 1
                if folded is not None:
                    self._publish(key.project_id, folded.offset, folded.changed)
        finally:
            self._readings = readings | self._readings

    async def _elect(self) -> None:
        at = now()
        due = await self._database.run(ELECTION.due_claims, at - PATIENCE_US)
        if due:
            self.counters.claims += await self._database.run(ELECTION.claim, due, at, write=True)
        found = await self._database.run(ELECTION.assignments)
        for worker_row, watch in self._changed(found):
            if self._links.watch(worker_row, watch):
                self._sent[worker_row] = watch

    def _changed(
        self, assignments: Iterable[StoreAssignment]
    ) -> Iterator[tuple[UUID, frames.WatchSchedules]]:
        """Return what to tell which worker, of all replicas, as far as it was not told yet."""
        wanted: dict[UUID, list[frames.WatchedStore]] = {}
        for one in assignments:
            stores = wanted.setdefault(one.sampler, [])
            stores.append(frames.WatchedStore(one.key.scheduler, one.key.store))
        for worker_row in [*wanted, *(self._sent.keys() - wanted.keys())]:
            stores = wanted.get(worker_row, [])[:MAX_WATCHED]
            watch = frames.WatchSchedules(self._every_s, stores)
            if self._sent.get(worker_row) != watch:
                yield worker_row, watch

    def _publish(self, project_id: UUID, offset: int, rows: list[UUID]) -> None:
        named = [str(row) for row in rows[:MAX_ISSUES]]
        self._hub.publish(project_id, offset, Changes(schedules=named or [""]))


def _reading(
    key: StoreKey, sampler: UUID, at: int, told: frames.Schedules, cleaner: Cleaner
) -> Reading:
    return Reading(
        key=key,
        sampler=sampler,
        at=at,
        schedules=[prepared(one, cleaner) for one in told.schedules],
        total=max(told.total, len(told.schedules)),
        error=None if told.error is None else clean_text(told.error, cleaner)[:500],
    )
