"""Whether this process can do its work now."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from z4j_brain.store import migrate
from z4j_brain.watch.probe import PATIENCE_S, Probe

if TYPE_CHECKING:
    from z4j_brain.ingest.writer import Writer
    from z4j_brain.store.database import Database

STUCK_S = 30.0
"""A frame that waits longer than this for its transaction means that ingest is stuck."""


class Check(StrEnum):
    """What readiness consists of, the cause before its consequences."""

    DATABASE = "database"
    MIGRATIONS = "migrations"
    INGEST = "ingest"


class Readiness:
    """Looks at the database and at the writer. For one event loop."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._tables = Probe(database, migrate.at_head)
        self._writer = writer

    async def troubles(self, patience_s: float = PATIENCE_S) -> dict[Check, str]:
        """Return every check that fails, with a sentence; nothing when the server is ready."""
        is_current = await self._tables.ask(patience_s)
        troubles = {}
        if is_current is None:
            troubles[Check.DATABASE] = "The database does not answer; the log says why."
        elif not is_current:
            troubles[Check.MIGRATIONS] = (
                "The database has not the tables of this version: run `z4j migrate`."
            )
        if stuck := self._stuck():
            troubles[Check.INGEST] = stuck
        return troubles

    def _stuck(self) -> str | None:
        writer = self._writer
        if not writer.is_running:
            return "The writer of events has ended: the server stops, or its log says why."
        if writer.is_failing:
            return "The last attempt to store events failed; they are kept. The log says why."
        if writer.oldest_wait_s > STUCK_S:
            return f"Events have waited for more than {STUCK_S:g} s to be stored."
        return None
