"""The periodic care of all links of a process: heartbeats, silence, pulses, revoked tokens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING
from uuid import UUID

from z4j_brain.clock import now
from z4j_brain.ingest.writer import Feed
from z4j_brain.live.changes import Changes
from z4j_brain.store.workers_write import record_pulses, revoked_tokens, sweep_lost
from z4j_core.link import SILENCE_S

if TYPE_CHECKING:
    from z4j_brain.link.gateway import Gateway

log = logging.getLogger("z4j.link")

TICK_S = 1.0
TOKENS_EVERY_S = 0.5
_PULSES_EVERY = 3
_SWEEP_EVERY = 30
_LOST_US = (SILENCE_S + 15) * 1_000_000


class Round:
    """Goes round all links once a second, and twice for tokens that another process revoked.

    One for a process, on its event loop.
    """

    def __init__(self, gateway: Gateway, hub: Feed) -> None:
        self._gateway = gateway
        self._hub = hub
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; on SQLite every worker that is still marked online belongs to a dead process."""
        database = self._gateway.database
        silent_since = now() - _LOST_US if database.is_postgres else now()
        self._tell(await database.run_at_start(sweep_lost, silent_since, write=True))
        # Apart, so that a slow write of pulses keeps no revoked link open.
        self._tasks = [
            asyncio.get_running_loop().create_task(work())
            for work in (self._run, self._watch_tokens)
        ]

    def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()

    async def _run(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(TICK_S)
            turn += 1
            await self._try(self._turn(turn))

    async def _watch_tokens(self) -> None:
        while True:
            await asyncio.sleep(TOKENS_EVERY_S)
            await self._try(self._drop_revoked())

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the database is away: the next turn tries it again
            log.warning("the care of links was cut short: %s", type(error).__name__)
            log.debug("the cause", exc_info=True)

    async def _turn(self, turn: int) -> None:
        at = now()
        for session in self._gateway.sessions:
            session.tick(at)
        if turn % _PULSES_EVERY == 0:
            await self._record_pulses()
        if turn % _SWEEP_EVERY == 0:
            await self._sweep(at - _LOST_US)

    async def _record_pulses(self) -> None:
        taken = (session.take_pulse() for session in self._gateway.sessions)
        pulses = [pulse for pulse in taken if pulse is not None]
        if not pulses:
            return
        offsets = await self._gateway.database.run(record_pulses, pulses, write=True)
        rows: dict[UUID, list[UUID]] = {}
        for pulse in pulses:
            rows.setdefault(pulse.project_id, []).append(pulse.worker_row)
        for project_id, offset in offsets.items():
            self._hub.publish(project_id, offset, Changes(workers=rows[project_id]))

    async def _drop_revoked(self) -> None:
        """Find tokens that another process revoked; our own API drops their links itself."""
        tokens = list({session.token_id for session in self._gateway.sessions})
        if tokens:
            for token_id in await self._gateway.database.run(revoked_tokens, tokens, now()):
                self._gateway.registry.drop_token(token_id, "revoked")

    async def _sweep(self, silent_since: int) -> None:
        self._tell(await self._gateway.database.run(sweep_lost, silent_since, write=True))

    def _tell(self, lost: dict[UUID, tuple[int, list[UUID]]]) -> None:
        for project_id, (offset, rows) in lost.items():
            self._hub.publish(project_id, offset, Changes(workers=rows))
