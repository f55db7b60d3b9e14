"""The one writer of a process: stores what has accumulated from all links, then acknowledges.

It runs on a thread and a connection of its own. Nothing is acknowledged before its commit; after
a failure the same frames are tried again, and whether an earlier attempt was committed after all
is read from the workers' positions, which change in the same transaction as the content.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from random import Random
from typing import Protocol
from uuid import UUID

from z4j_brain.clock import now
from z4j_brain.ingest.arrival import Arrival, Source
from z4j_brain.ingest.preparing import CleanerOf, built_in
from z4j_brain.ingest.storing import Announcement, Counters, Refusals, Storing
from z4j_brain.ingest.transaction import Finish, Tell, Transactions
from z4j_brain.ingest.waiting import Waiting
from z4j_brain.live.changes import Changes
from z4j_brain.store.database import Database
from z4j_core.link import BackOff

log = logging.getLogger("z4j.ingest")

_PARTITIONS_EVERY_S = 3_600.0
_RETRY_S = (0.1, 5.0)
_LEAST_RETRY_S = 0.05


class Feed(Protocol):
    """Where a commit is announced to the dashboards: the hub. Thread-safe."""

    def publish(self, project_id: UUID, offset: int, changes: Changes) -> None:
        """Announce what a committed transaction changed."""


class Writer:
    """Stores frames. `put` belongs to the event loop on which `start` was awaited."""

    def __init__(
        self,
        database: Database,
        hub: Feed,
        *,
        replica: str,
        finish: Finish | None = None,
        tell: Tell | None = None,
        cleaner_of: CleanerOf = built_in,
    ) -> None:
        self.counters = Counters()
        self._hub = hub
        self.cleaner_of = cleaner_of
        self._waiting = Waiting()
        self._transactions = Transactions(database, replica, finish or _finish_command(), tell)
        self._thread = threading.Thread(target=self._run, name="z4j-writer", daemon=True)
        self._stopping = threading.Event()
        self._abandoned = threading.Event()
        self._back_off = BackOff(Random())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._partitions_due = 0.0
        self._is_failing = False
        self._storing_since_s: float | None = None

    async def start(self) -> None:
        """Start the thread; partitions are made before the first frame is stored."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Store what waits, for at most `timeout_s`; the agents keep the rest and send it again."""
        if not self._thread.ident:
            return
        self._stopping.set()
        self._waiting.close()
        await asyncio.to_thread(self._thread.join, timeout_s)
        self._abandoned.set()
        await asyncio.to_thread(self._thread.join, timeout_s)

    async def put(self, arrived: Arrival) -> None:
        """Hand over one frame; waits, and so stops the reading of its link, when too many wait."""
        await self._waiting.put(arrived)

    @property
    def backlog(self) -> int:
        """How many entries wait for the next transaction."""
        return self._waiting.weight

    @property
    def oldest_wait_s(self) -> float:
        """How long the oldest frame that is not stored has waited; 0 when none waits."""
        since = self._storing_since_s or self._waiting.oldest_s
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt to store frames failed."""
        return self._is_failing

    @property
    def is_running(self) -> bool:
        """Whether the thread lives and takes frames."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def _run(self) -> None:
        try:
            while not self._abandoned.is_set():
                self._care_for_partitions()
                arrivals = self._waiting.take(timeout_s=60.0)
                if arrivals:
                    self._storing_since_s = arrivals[0].queued_at_s
                    self._store(arrivals)
                    self._storing_since_s = None
                elif self._stopping.is_set():
                    return
        finally:
            self._transactions.close()

    def _care_for_partitions(self) -> None:
        if time.monotonic() < self._partitions_due:
            return
        try:
            self._transactions.ensure_partitions(now())
        except Exception:  # noqa: BLE001 - storing tries it again, and reports it
            log.debug("partitions could not be looked after now", exc_info=True)
            return
        self._partitions_due = time.monotonic() + _PARTITIONS_EVERY_S

    def _store(self, arrivals: list[Arrival]) -> None:
        """Store frames, whatever it takes; give up only when the process ends."""
        storing = Storing(self._transactions, arrivals, self.counters, self.cleaner_of)
        while not self._abandoned.is_set():
            try:
                announcements = storing.attempt()
            except Exception as error:  # noqa: BLE001 - the database is away, or we have a defect
                log.debug("storing failed; the frames are kept and tried again", exc_info=True)
                self._failed(error)
            else:
                self._succeeded()
                self._announce(announcements)
                self._answer(arrivals, storing.refused)
                return

    def _succeeded(self) -> None:
        if self._is_failing:
            log.info("the database takes events again")
        self._is_failing = False
        self._back_off.succeeded()

    def _failed(self, error: Exception) -> None:
        self.counters.failures += 1
        if not self._is_failing:
            log.error(
                "The database does not take events (%s). They are kept and tried again; agents"
                " keep what is not acknowledged. Look at the database.",
                type(error).__name__,
                exc_info=error,
            )
        self._is_failing = True
        self._abandoned.wait(_LEAST_RETRY_S + self._back_off.failed(_RETRY_S))

    def _announce(self, announcements: list[Announcement]) -> None:
        for project_id, offset, changes in announcements:
            try:
                self._hub.publish(project_id, offset, changes)
            except Exception:  # noqa: BLE001 - a dashboard must never stop the record
                log.exception("a change could not be announced to the dashboards")

    def _answer(self, arrivals: list[Arrival], refused: Refusals) -> None:
        positions: dict[int, tuple[Source, int]] = {}
        for arrived in arrivals:
            key = id(arrived.source)
            if key not in refused:
                known = positions.get(key)
                position = arrived.seq if known is None else max(known[1], arrived.seq)
                positions[key] = (arrived.source, position)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(
                _deliver, list(positions.values()), list(refused.values())
            )


def _deliver(positions: list[tuple[Source, int]], refusals: list[tuple[Source, str, str]]) -> None:
    for source, position in positions:
        source.acknowledge(position)
    for source, code, detail in refusals:
        source.refuse(code, detail)


def _finish_command() -> Finish:
    from z4j_brain.store.commands import finish

    return finish
