"""Tells open sockets that their session has ended: at once on this replica, in a second elsewhere.

One query a second asks after all sessions that have a socket here; without one nothing is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from z4j_brain import clock
from z4j_brain.store import sessions

if TYPE_CHECKING:
    from uuid import UUID

    from z4j_brain.store.database import Database

logger = logging.getLogger("z4j.auth")
LOOK_EVERY_S = 1.0


class SessionWatch:
    """The sessions that have sockets here. Belongs to one event loop."""

    def __init__(self, database: Database, idle_us: int) -> None:
        self._database = database
        self._idle_us = idle_us
        self._open: dict[UUID, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self, session_id: UUID) -> Iterator[asyncio.Event]:
        """Give an event that is set when the session has ended."""
        ended = asyncio.Event()
        self._open.setdefault(session_id, set()).add(ended)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())
        try:
            yield ended
        finally:
            waiting = self._open[session_id]
            waiting.discard(ended)
            if not waiting:
                del self._open[session_id]

    def end(self, session_ids: Iterable[UUID]) -> None:
        """Say that these sessions have ended; call it after the commit."""
        for session_id in session_ids:
            for ended in self._open.get(session_id, ()):
                ended.set()

    async def stop(self) -> None:
        """Look no more. Idempotent."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        while self._open:
            await asyncio.sleep(LOOK_EVERY_S)
            asked = list(self._open)
            try:
                alive = await self._database.run(sessions.alive, asked, clock.now(), self._idle_us)
            except SQLAlchemyError:
                logger.warning("the database cannot say which sessions have ended", exc_info=True)
            else:
                self.end(set(asked) - alive)
