"""Periodic care of what agents tell: a turn when something came in, and every few seconds."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

log = logging.getLogger("z4j.turns")

TICK_S = 5.0
"""Claims that became due by time, and those of other replicas, are looked for this often."""
GAP_S = 0.5
"""Between two turns, so that ingest has its turn."""


class Turns:
    """One for a process, on its event loop. Override `turn`; `what` names the work in the log."""

    def __init__(self, what: str, tick_s: float = TICK_S) -> None:
        self._what = what
        self._tick_s = tick_s
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what was told and not written is lost, as the next telling supersedes it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def hurry(self) -> None:
        """Have a turn soon."""
        self._work.set()

    async def turn(self) -> None:
        """Do what is to be done; what it raises is logged, and the next turn tries again."""
        raise NotImplementedError

    async def _run(self) -> None:
        while True:
            # Not `wait_for`: in Python 3.11 it forgets a cancellation that comes with the result.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tick_s):
                    await self._work.wait()
            self._work.clear()
            try:
                await self.turn()
            except Exception as error:  # noqa: BLE001 - the database is away: the next turn tries it again
                log.warning("%s was cut short: %s", self._what, type(error).__name__)
                log.debug("the cause", exc_info=True)
            await asyncio.sleep(GAP_S)
