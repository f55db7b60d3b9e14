"""Leads if nobody else does, and goes through the steps once a minute while it leads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from z4j_brain.clock import now
from z4j_brain.reconcile.bulk import BulkWork
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.leader import leader_of
from z4j_brain.reconcile.missed import MissedSchedules
from z4j_brain.reconcile.steps import Step, Steps
from z4j_brain.reconcile.stuck import Feed, StuckTasks
from z4j_brain.settings import Settings
from z4j_brain.store.database import Database

if TYPE_CHECKING:
    from z4j_brain.commands.service import Commands
    from z4j_brain.keys import Keys

log = logging.getLogger("z4j.reconcile")

TICK_S = 5.0
"""How often the leadership is looked at: a lost leader is replaced within this time."""
ROUND_S = 60.0
AGAIN_S = 5.0
"""The pause after a round that left something to do."""
BULK_S = 0.5
"""How often bulk runs are looked at; while there is none, that is one short query."""
FIRST_S = 30.0
"""The pause before the first round: a server that has just started has other things to do."""
_END_S = 5.0


class Reconciler:
    """One for a process, on its event loop. `counters` may be read at any time.

    Without `commands` and `hub` nobody is asked about stuck tasks, without `hub` no missed schedule
    is counted; without `keys` the audit log is not pruned; without any of them bulk runs stand
    still.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        replica: str,
        commands: Commands | None = None,
        hub: Feed | None = None,
        keys: Keys | None = None,
        tick_s: float = TICK_S,
        first_s: float = FIRST_S,
    ) -> None:
        self.counters = Counters()
        self._steps = Steps(database, settings, self.counters, self._may_go_on, keys)
        self._stuck: StuckTasks | None = None
        self._bulk: BulkWork | None = None
        if commands is not None and hub is not None:
            self._stuck = StuckTasks(
                database, settings, self.counters, commands, hub, self._may_go_on
            )
            if keys is not None:
                self._bulk = BulkWork(database, self.counters, commands, hub, keys, self._may_go_on)
        self._missed = None if hub is None else MissedSchedules(database, self.counters, hub)
        self._settle_s = float(settings.probe_grace_s)
        self._unsettled_at = time.monotonic()
        self._leader = leader_of(database, replica)
        self._tick_s = tick_s
        self._first_s = first_s
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; returns at once."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._run_bulk())]

    async def stop(self) -> None:
        """End after the transaction that is under way, and let another replica lead."""
        self._stopping.set()
        tasks, self._tasks = self._tasks, []
        # What does not end in time is cancelled; its transaction ends by itself.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await asyncio.gather(*tasks)
        await asyncio.to_thread(self._leader.release)
        self.counters.is_leader = False

    async def round(self) -> bool:
        """Go through all steps once while we lead; tell whether nothing is left to do now."""
        begun, is_done = time.monotonic(), True
        for name, step in self._all_steps().items():
            if not self._may_go_on() or not await self._elect():
                return True
            is_done = await self._try(name, step) and is_done
        self.counters.rounds += 1
        self.counters.last_round_at = now()
        self.counters.last_round_us = round((time.monotonic() - begun) * 1_000_000)
        return is_done

    def _all_steps(self) -> dict[str, Step]:
        """Return the steps in their order.

        Tasks and schedules are judged only when all has been well for as long as a worker may be
        missed: after a start, or while the database was away, the workers have had no chance to be
        seen.
        """
        steps = self._steps.all()
        is_settled = time.monotonic() - self._unsettled_at >= self._settle_s
        if self._stuck is not None and is_settled:
            steps["answers about tasks"] = self._stuck.take_answers
            steps["stuck tasks"] = self._stuck.look
        if self._missed is not None and is_settled:
            steps["missed schedules"] = self._missed.look
        return steps

    async def _run(self) -> None:
        due = time.monotonic() + self._first_s
        while not self._stopping.is_set():
            try:
                if await self._elect():
                    # At every tick: the pages show the summaries of the last minutes.
                    await self._try("minutes summarised", self._steps.rollups.summarise_minutes)
                    if time.monotonic() >= due:
                        is_done = await self.round()
                        due = time.monotonic() + (ROUND_S if is_done else AGAIN_S)
            except Exception:
                log.exception("the periodic work was cut short; it is tried again")
            await self._pause(self._tick_s)

    async def _run_bulk(self) -> None:
        """Bring bulk runs on while we lead: several times a second, as people look at them."""
        while not self._stopping.is_set():
            if self._bulk is not None and self.counters.is_leader:
                await self._try("bulk runs", self._bulk.look)
            await self._pause(BULK_S)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _try(self, name: str, step: Step) -> bool:
        """Take one step; one that fails keeps no other from its turn."""
        begun, has_failed = time.monotonic(), False
        try:
            return await step()
        except Exception as error:  # noqa: BLE001 - the next round tries it again
            has_failed = True
            self._unsettled_at = time.monotonic()
            self.counters.failures += 1
            log.warning("%s failed, the next round tries again: %s", name, type(error).__name__)
            log.debug("the cause", exc_info=True)
            return True
        finally:
            took_us = round((time.monotonic() - begun) * 1_000_000)
            self.counters.add_step(name, took_us, has_failed=has_failed)

    async def _elect(self) -> bool:
        is_leader = await asyncio.to_thread(self._leader.hold)
        if is_leader and not self.counters.is_leader:
            self.counters.elections += 1
            self._unsettled_at = time.monotonic()
            log.info("this process leads: it does the periodic work")
        elif self.counters.is_leader and not is_leader:
            log.info("this process no longer leads")
        self.counters.is_leader = is_leader
        return is_leader

    def _may_go_on(self) -> bool:
        return not self._stopping.is_set()
