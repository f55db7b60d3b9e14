"""Keeps bulk runs going: gathers members, gives them their turn at the run's rate, reads results.

All that has to survive is in the database, and each step is one transaction that locks the run's
row; the rate alone is kept in memory, so a restart or another leader changes nothing but a moment.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from z4j_brain import clock
from z4j_brain.commands import bulk_progress
from z4j_brain.commands.bulk_minting import mint_members
from z4j_brain.keys import Keys
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile.counters import Counters
from z4j_brain.store import bulk_runs
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.database import Database

if TYPE_CHECKING:
    from z4j_brain.commands.service import Commands
    from z4j_brain.reconcile.stuck import Feed

log = logging.getLogger("z4j.reconcile")

MAX_OUTSTANDING = 200
"""Commands of bulk runs that wait for their result, in a project: agents take five times as many
before they turn one down (`z4j_agent.dispatch.MAX_WAITING`)."""
BATCH = 50
"""Commands of one transaction."""
MAX_MOVES = 20
"""Transactions for one run at one look: other runs have their turn, too."""
BURST_S = 1.0
"""How much of its rate a run can make up for."""


class BulkWork:
    """Belongs to the leader's event loop. `may_go_on` is asked between transactions."""

    def __init__(
        self,
        database: Database,
        counters: Counters,
        commands: Commands,
        hub: Feed,
        keys: Keys,
        may_go_on: Callable[[], bool] = lambda: True,
        *,
        now: Callable[[], int] = clock.now,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._counters = counters
        self._commands = commands
        self._hub = hub
        self._keys = keys
        self._may_go_on = may_go_on
        self._now = now
        self._monotonic_s = monotonic_s
        self._credits: dict[UUID, tuple[float, float]] = {}

    async def look(self) -> bool:
        """Bring every run on; tell whether there is none that has not ended."""
        runs = await self._database.run(bulk_runs.open_runs)
        self._credits = {run.id: self._credits[run.id] for run in runs if run.id in self._credits}
        outstanding = Counter[UUID]()
        for run in runs:
            outstanding[run.project_id] += run.outstanding
        for run in runs:
            moved = await self._move(run)
            outstanding[run.project_id] += moved.outstanding - run.outstanding
            room = MAX_OUTSTANDING - outstanding[run.project_id]
            outstanding[run.project_id] += await self._send(moved, room)
        return not runs

    async def _move(self, run: BulkRun) -> BulkRun:
        """Do what is due between batches; return the run as it is then."""
        for _ in range(MAX_MOVES):
            if not self._may_go_on() or not await self._is_due(run):
                break
            moved = await self._database.run(
                bulk_progress.move, self._keys, run.id, self._now(), write=True
            )
            if moved is None:
                break
            run, offset = moved
            self._hub.publish(run.project_id, offset, Changes(bulk_runs=[run.id]))
            if run.ended_at is not None:
                self._counters.bulk_runs_ended += 1
                log.info("bulk run %s: %s, %d of %d", run.id, run.state, run.ended, run.total)
                break
        return run

    async def _is_due(self, run: BulkRun) -> bool:
        return await self._database.run(bulk_progress.is_due, run, self._now())

    async def _send(self, run: BulkRun, room: int) -> int:
        """Give members their turn, as many as the rate allows now; return how many had it."""
        allowed, had = min(self._credit(run), run.may_send, room), 0
        work = partial(mint_members, run_id=run.id)
        while had < allowed and self._may_go_on():
            asked = min(BATCH, allowed - had)
            if not await self._commands.create_many(work, asked):
                break
            had += asked
        self._spend(run, had)
        self._counters.bulk_turns += had
        return had

    def _credit(self, run: BulkRun) -> int:
        """Return how many members may have their turn now, by the rate."""
        at = self._monotonic_s()
        credit, since = self._credits.get(run.id, (1.0, at))
        most = max(run.rate * BURST_S, 1.0)
        credit = min(credit + (at - since) * run.rate, most)
        self._credits[run.id] = (credit, at)
        return int(credit)

    def _spend(self, run: BulkRun, number: int) -> None:
        credit, since = self._credits[run.id]
        self._credits[run.id] = (credit - number, since)
