"""Schedules that should have run and did not."""

from __future__ import annotations

import logging

from z4j_brain.clock import now
from z4j_brain.ingest.writer import Feed
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile.counters import Counters
from z4j_brain.store import schedules_write
from z4j_brain.store.database import Database

log = logging.getLogger("z4j.reconcile")


class MissedSchedules:
    """Counts each missed run once and tells the dashboards."""

    def __init__(self, database: Database, counters: Counters, hub: Feed) -> None:
        self._database = database
        self._counters = counters
        self._hub = hub

    async def look(self) -> bool:
        """Look once at all schedules; nothing is ever left to do."""
        found = await self._database.run(schedules_write.count_missed, now(), write=True)
        for project_id, (rows, offset) in found.items():
            self._counters.missed_schedules += len(rows)
            log.info("%d schedules were due and did not run", len(rows))
            self._hub.publish(project_id, offset, Changes(schedules=[str(row) for row in rows]))
        return True
