"""Has each queue sampled by one worker, and stores what it tells.

Links hand over what agents tell; nothing of that waits for the database. A turn, at most one a
second, writes it down, makes the claims that are due, and tells the workers linked here what to
watch. The claims are in the database, so replicas agree; a replica learns of claims for its links
in its own next turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.clock import now
from z4j_brain.queues.inbox import Inbox, Told
from z4j_brain.queues.watches import Watches
from z4j_brain.store import queue_samples, worker_queues
from z4j_brain.store.database import Database
from z4j_brain.store.queue_election import ELECTION, QueueKey
from z4j_brain.turns import TICK_S, Turns
from z4j_core import frames

log = logging.getLogger("z4j.queues")

BATCH = 20
"""Workers whose queues are written in one transaction: ingest shall not wait for a thousand."""
LEAST_PATIENCE_US = 30_000_000


class Links(Protocol):
    """What is needed of the registry."""

    def watch(self, worker_row: UUID, watch: frames.Watch) -> bool:
        """Tell a worker what to sample; tell whether it has an open link."""


class Counters(msgspec.Struct):
    """Counts since the start. `refused` counts samples of queues that their sender was not to
    sample, and queues beyond what a project may have.
    """

    samples: int = 0
    refused: int = 0
    claims: int = 0


class Sampling(Turns):
    """One for a process, on its event loop. `every_s` 0 samples nothing."""

    def __init__(
        self, database: Database, links: Links, *, every_s: float, tick_s: float = TICK_S
    ) -> None:
        super().__init__("the care of queues", tick_s)
        self.every_s = every_s
        self.counters = Counters()
        self._database = database
        self._links = links
        self._inbox = Inbox()
        self._watches = Watches(every_s)

    # ---- called by links -------------------------------------------------------------------

    def told(self, worker_row: UUID, project_id: UUID, queues: frames.Queues) -> None:
        """Take what a worker's process knows now; a new link of a worker begins with it."""
        self._inbox.tell(worker_row, project_id, queues)
        self._watches.forget(worker_row)
        self.hurry()

    def sampled(self, worker_row: UUID, project_id: UUID, depths: frames.Depths) -> None:
        """Take samples of those queues that the worker was told to watch, and no others."""
        at, refused = now(), 0
        for sample in depths.samples:
            key = QueueKey(project_id, sample.engine, sample.broker, sample.queue)
            if self._watches.is_watched(worker_row, key):
                self._inbox.sample(key, worker_row, sample, at)
            else:
                refused += 1
        self.counters.refused += refused
        if refused < len(depths.samples):
            self.hurry()

    def link_ended(self, worker_row: UUID) -> None:
        """Elect others in place of a worker whose link is gone; its row says so already."""
        self._watches.forget(worker_row)
        self.hurry()

    # ---- the turns -------------------------------------------------------------------------

    async def turn(self) -> None:
        """Write what came in, make the claims that are due, tell the workers."""
        await self._write_told()
        await self._write_samples()
        if self.every_s:
            await self._elect()

    async def _write_told(self) -> None:
        told, left_out = self._inbox.take_told(), 0
        try:
            while told:
                batch = {row: told[row] for row in sorted(told)[:BATCH]}
                left_out += await self._database.run(_write, batch, now(), write=True)
                for row in batch:
                    del told[row]
        finally:
            self._inbox.put_back(told)
        self.counters.refused += left_out
        if left_out:
            log.warning(
                "%d queues are not looked after: a project may have %d",
                left_out,
                worker_queues.MAX_QUEUES,
            )

    async def _write_samples(self) -> None:
        samples = self._inbox.take_samples()
        if samples:
            stored = await self._database.run(queue_samples.store, samples, write=True)
            self.counters.samples += stored

    async def _elect(self) -> None:
        at = now()
        patience = max(LEAST_PATIENCE_US, int(3 * self.every_s * 1_000_000))
        due = await self._database.run(ELECTION.due_claims, at - patience)
        if due:
            self.counters.claims += await self._database.run(ELECTION.claim, due, at, write=True)
        found = await self._database.run(ELECTION.assignments)
        for worker_row, watch in self._watches.changed(found):
            if self._links.watch(worker_row, watch):
                self._watches.sent(worker_row, watch)


def _write(connection: Connection, told: Told, at: int) -> int:
    return sum(
        worker_queues.replace(connection, project_id, worker_row, _queues(queues), at)
        for worker_row, (project_id, queues) in sorted(told.items())
    )


def _queues(told: frames.Queues) -> Iterator[worker_queues.ToldQueue]:
    for known in told.brokers:
        broker = known.broker
        consumed = frozenset(broker.consumed)
        for name in dict.fromkeys([*broker.queues, *broker.consumed]):
            yield worker_queues.ToldQueue(
                known.engine, broker.id, name, broker.transport, name in consumed
            )
