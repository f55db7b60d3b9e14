"""One backlog on its way into the record, over as many attempts as it takes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from uuid import UUID

import msgspec

from z4j_brain.histogram import Histogram
from z4j_brain.ingest.arrival import Arrival, Source
from z4j_brain.ingest.preparing import CleanerOf, built_in, prepare
from z4j_brain.ingest.salvage import salvage
from z4j_brain.ingest.transaction import Committed, Transactions, is_refusal
from z4j_brain.live.changes import MAX_ISSUES, Changes
from z4j_brain.store.ingest_batch import Batch, StalePosition
from z4j_core.link.errors import ADVICE, OUT_OF_ORDER

UNKNOWN_WORKER = "unknown_worker"
_UNKNOWN = "The worker is no longer known here. The agent connects again."

Refusals = dict[int, tuple[Source, str, str]]
"""By the identity of a source: itself, and the code and detail with which its link ends."""
Announcement = tuple[UUID, int, Changes]
"""Project, offset of its feed, what changed."""


class Counters(msgspec.Struct):
    """What the writer has done since its start; `durations` are those of its transactions."""

    transactions: int = 0
    frames: int = 0
    events: int = 0
    repeated_frames: int = 0
    failures: int = 0
    rejected: int = 0
    durations: Histogram = msgspec.field(default_factory=Histogram)


class Touched(msgspec.Struct):
    """What a project's dashboards must look at again."""

    task_keys: set[tuple[str, str]] = set()
    commands: set[UUID] = set()
    issues: set[str] = set()


class Storing:
    """Stores these frames, each once. For one thread only."""

    def __init__(
        self,
        transactions: Transactions,
        arrivals: list[Arrival],
        counters: Counters,
        cleaner_of: CleanerOf = built_in,
    ) -> None:
        self.refused: Refusals = {}
        self._transactions = transactions
        self._remaining = arrivals
        self._is_stale = not _follow_one_another(arrivals)
        self._counters = counters
        self._cleaner_of = cleaner_of
        self._touched: dict[UUID, Touched] = {}

    def attempt(self) -> list[Announcement]:
        """Store what is not stored yet; return what to announce. Raise failures, then try again."""
        while True:
            try:
                if self._is_stale:
                    self._drop_stored()
                committed = self._commit() if self._remaining else Committed()
                return self._announcements(committed)
            except StalePosition:
                self._is_stale = True
            except Exception:
                # Perhaps it was committed and only the answer is lost: the positions tell.
                self._is_stale = True
                raise

    def _commit(self) -> Committed:
        began = time.perf_counter()
        batch = prepare(self._remaining, self._cleaner_of)
        self._touch(batch)
        try:
            committed = self._transactions.commit(batch)
        except Exception as error:
            if not is_refusal(error):
                raise
            committed = salvage(self._transactions, self._remaining, self._cleaner_of)
        self._counters.transactions += 1
        self._counters.frames += len(self._remaining)
        self._counters.events += committed.events
        self._counters.rejected += committed.rejected
        self._counters.durations.observe(time.perf_counter() - began)
        return committed

    def _drop_stored(self) -> None:
        """Forget what is stored already, and refuse what does not follow what is stored."""
        rows = {arrived.origin.worker_row for arrived in self._remaining}
        positions = self._transactions.positions(rows)
        remaining = []
        for arrived in sorted(self._remaining, key=lambda one: (one.origin.worker_row, one.seq)):
            position = positions.get(arrived.origin.worker_row)
            if position is None:
                self._refuse(arrived, UNKNOWN_WORKER, _UNKNOWN)
            elif arrived.seq == position + 1:
                positions[arrived.origin.worker_row] = arrived.seq
                remaining.append(arrived)
            elif arrived.seq > position:
                self._refuse(arrived, OUT_OF_ORDER, ADVICE[OUT_OF_ORDER])
            else:
                self._counters.repeated_frames += 1
        self._remaining, self._is_stale = remaining, False

    def _refuse(self, arrived: Arrival, code: str, detail: str) -> None:
        self.refused[id(arrived.source)] = (arrived.source, code, detail)

    def _touch(self, batch: Batch) -> None:
        """Note what an attempt may change: it may be committed though it seems to fail."""
        for project_id, engine, task_id in batch.tasks:
            self._of(project_id).task_keys.add((engine, task_id))
        for project_id, issue in batch.issues:
            self._of(project_id).issues.add(issue)

    def _announcements(self, committed: Committed) -> list[Announcement]:
        for project_id, rows in committed.commands.items():
            self._of(project_id).commands.update(rows)
        offsets = committed.offsets
        unknown = self._touched.keys() - offsets.keys()
        if unknown:
            offsets = offsets | self._transactions.offsets(unknown)
        return [
            (project_id, offset, self._changes(project_id))
            for project_id, offset in offsets.items()
        ]

    def _changes(self, project_id: UUID) -> Changes:
        touched = self._of(project_id)
        return Changes(
            task_keys=list(touched.task_keys),
            commands=list(touched.commands),
            issues=sorted(touched.issues)[:MAX_ISSUES],
        )

    def _of(self, project_id: UUID) -> Touched:
        return self._touched.setdefault(project_id, Touched())


def _follow_one_another(arrivals: Iterable[Arrival]) -> bool:
    """Tell whether each worker's frames are in order, without repetition or hole."""
    last: dict[UUID, int] = {}
    for arrived in arrivals:
        row = arrived.origin.worker_row
        if arrived.seq != last.get(row, arrived.seq - 1) + 1:
            return False
        last[row] = arrived.seq
    return True
