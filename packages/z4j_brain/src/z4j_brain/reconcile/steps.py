"""The steps of a round. Each is idempotent, bounded in time, and made of short transactions."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from z4j_brain.audit.pruning import BATCH, due, prune
from z4j_brain.clock import now
from z4j_brain.keys import Keys
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.retention import DAY_US, RULES, Rule
from z4j_brain.reconcile.rollup_steps import RollupSteps
from z4j_brain.settings import Settings
from z4j_brain.store import expiry, partitions
from z4j_brain.store.database import Database
from z4j_brain.store.partitions import OldPartition
from z4j_brain.store.schema import events, rollups

log = logging.getLogger("z4j.reconcile")

STEP_S = 10.0
"""A step begins no further transaction after this time."""
GAP_S = 0.05
"""Between two transactions of a step, so that ingest has its turn."""
TRIES = 5
_RETRY_S = 0.3

Step = Callable[[], Awaitable[bool]]
"""Does a part of the work; tells whether nothing is left to do now."""


class Steps:
    """The steps and what they need. `may_go_on` is asked between transactions.

    Without `keys` the audit log is left alone.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        counters: Counters,
        may_go_on: Callable[[], bool] = lambda: True,
        keys: Keys | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._settings = settings
        self._counters = counters
        self._may_go_on = may_go_on
        self.rollups = RollupSteps(database, settings, counters, may_go_on)

    def all(self) -> dict[str, Step]:
        """Return every step by its name, in their order."""
        return {
            "partitions ahead": self.make_partitions,
            "minutes summarised": self.rollups.summarise_minutes,
            "hours and days summarised": self.rollups.summarise_hours_and_days,
            "horizons of rollups": self.rollups.move_horizons,
            "hours removed": self.rollups.remove_hours,
            "retention of audit": self.prune_audit,
            **{f"retention of {rule.table.name}": self._step_of(rule) for rule in RULES},
        }

    async def prune_audit(self) -> bool:
        """Remove what the audit log need not keep any longer, chain by chain."""
        keys, days = self._keys, self._settings.audit_retention_days
        if keys is None or not days:
            return True
        cutoff, deadline = now() - days * DAY_US, time.monotonic() + STEP_S
        for chain in await self._database.run(due, cutoff):
            removed = BATCH
            while removed >= BATCH and self._may_go_on():
                if time.monotonic() > deadline:
                    return False
                removed = await self._database.run(prune, keys, chain, cutoff, write=True)
                self._counters.add_deleted("audit", removed)
                await asyncio.sleep(GAP_S)
        return True

    async def make_partitions(self) -> bool:
        """Create the partitions of the days ahead; every writer does so too for its own need."""
        made = await self._database.run(partitions.create_ahead, now(), write=True)
        self._counters.partitions_made += made
        log.debug("partitions ahead: %d made", made)
        return True

    async def remove_rows(self, rule: Rule) -> bool:
        """Delete what is older than a rule allows, batch by batch."""
        cutoff = rule.cutoff(self._settings, now())
        if cutoff is None:
            return True
        deadline, before = time.monotonic() + STEP_S, self._deleted(rule)
        is_done = True
        for batch in await self._batches(rule, cutoff):
            is_done = await self._repeat(rule, batch, deadline) and is_done
        deleted = self._deleted(rule) - before
        level = logging.INFO if deleted else logging.DEBUG
        log.log(level, "retention: %d rows of %s deleted", deleted, rule.table.name)
        return is_done

    async def drop_partitions(self, rule: Rule) -> bool:
        """Drop the partitions of events that are all older than the rule allows."""
        cutoff = rule.cutoff(self._settings, now())
        if cutoff is None:
            return True
        old = await self._database.run(partitions.old_partitions, cutoff)
        deadline, dropped = time.monotonic() + STEP_S, 0
        for partition in old:
            if not self._may_go_on() or time.monotonic() > deadline:
                break
            dropped += await self._drop(partition)
        level = logging.INFO if old else logging.DEBUG
        log.log(level, "retention: %d of %d old partitions dropped", dropped, len(old))
        return dropped == len(old)

    def _step_of(self, rule: Rule) -> Step:
        if rule.table is events and self._database.is_postgres:
            return lambda: self.drop_partitions(rule)
        if rule.table is rollups:
            return self.rollups.remove_minutes
        return lambda: self.remove_rows(rule)

    async def _batches(self, rule: Rule, cutoff: int) -> list[Callable[[Connection], int]]:
        """Return what deletes one batch, for each part of the table that is walked by itself."""
        if rule.table is events:
            return [lambda connection: expiry.delete_oldest_events(connection, cutoff)]
        projects: list[uuid.UUID | None] = [None]
        if rule.is_of_projects:
            projects = [*await self._database.run(expiry.project_ids)]

        def batch_of(project_id: uuid.UUID | None) -> Callable[[Connection], int]:
            return lambda connection: expiry.delete_batch(
                connection, rule.table, rule.conditions, rule.order, cutoff, project_id
            )

        return [batch_of(project_id) for project_id in projects]

    async def _repeat(
        self, rule: Rule, batch: Callable[[Connection], int], deadline: float
    ) -> bool:
        """Delete batches until one is not full; tell whether it came to that."""
        while self._may_go_on() and time.monotonic() < deadline:
            deleted = await self._database.run(batch, write=True)
            self._counters.add_deleted(rule.table.name, deleted)
            if deleted < expiry.BATCH:
                return True
            await asyncio.sleep(GAP_S)
        return False

    async def _drop(self, partition: OldPartition) -> bool:
        """Detach and drop one partition; tell whether it is gone."""
        for attempt in range(TRIES):
            try:
                if partition.is_attached:
                    await self._database.run(
                        partitions.detach_partition, partition.name, write=True
                    )
                    partition = OldPartition(partition.name, is_attached=False)
                await self._database.run(partitions.drop_partition, partition.name, write=True)
            except DBAPIError as error:
                if not partitions.was_busy(error):
                    raise
                log.debug("partition %s is in use, try %d", partition.name, attempt + 1)
                await asyncio.sleep(_RETRY_S)
            else:
                self._counters.partitions_dropped += 1
                return True
        self._counters.put_off += 1
        return False

    def _deleted(self, rule: Rule) -> int:
        return self._counters.deleted.get(rule.table.name, 0)
