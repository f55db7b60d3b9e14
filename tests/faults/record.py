"""What the database holds, read from it directly and not through the server."""

from __future__ import annotations

from collections import Counter

import msgspec
from sqlalchemy import func, select

from faults.truth import Event
from z4j_brain.store.database import Database
from z4j_brain.store.ingest_batch import COUNTED_KINDS
from z4j_brain.store.schema import events, events_rejected, gaps, rollups, tasks


class Record(msgspec.Struct):
    """Events and how often each stands there; states of tasks; counts of the rollups; the rest."""

    events: Counter[Event]
    states: dict[str, str]
    counted: dict[str, int]
    gaps: dict[str, int]
    rejected: int

    @property
    def missing(self) -> int:
        """How many events agents declared that they had to drop."""
        return sum(self.gaps.values())


def read_record(url: str) -> Record:
    """Read everything in one snapshot."""
    database = Database(url)
    try:
        with database.read() as connection:
            found = connection.execute(select(events.c.kind, events.c.task_id, events.c.attempt))
            told = Counter((kind, task_id, attempt) for kind, task_id, attempt in found)
            states = connection.execute(select(tasks.c.task_id, tasks.c.state))
            sums = [func.sum(rollups.c[kind.value]) for kind in COUNTED_KINDS]
            totals = connection.execute(select(*sums)).one()
            lost = connection.execute(
                select(gaps.c.reason, func.sum(gaps.c.count)).group_by(gaps.c.reason)
            )
            rejected = connection.execute(select(func.count()).select_from(events_rejected))
            return Record(
                events=told,
                states={str(row.task_id): str(row.state) for row in states},
                counted={
                    kind.value: int(total or 0)
                    for kind, total in zip(COUNTED_KINDS, totals, strict=True)
                },
                gaps={str(reason): int(count) for reason, count in lost},
                rejected=int(rejected.scalar_one()),
            )
    finally:
        database.close()
