"""The redactors of each project, kept in step with the rules in the database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain import clock
from z4j_brain.redaction.cleaner import Cleaner
from z4j_brain.redaction.rules import ProjectCounts, ProjectRules
from z4j_brain.redaction.stored import Opened, open_rules
from z4j_brain.store import redaction_rules
from z4j_brain.store.database import Database

log = logging.getLogger("z4j.redaction")
REFRESH_S = 5.0


class _Known(msgspec.Struct, frozen=True):
    version: int
    opened: Opened


class ProjectCleaners:
    """Tells the redactors of a project. `of`, `fault` and `counts` are for any thread, all else for
    the event loop.

    A change is in force at once on the replica that made it, and within `REFRESH_S` seconds on
    every other one. Of a project whose rules cannot be used all free text is hidden.
    """

    def __init__(self, database: Database, *, emails: bool = False) -> None:
        self.counted_since = clock.now()
        self._database = database
        self._emails = emails
        self._by_project: dict[UUID, _Known] = {}
        self._without_rules: dict[UUID, Cleaner] = {}
        self._counts: dict[UUID, ProjectCounts] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, project_id: UUID) -> Cleaner:
        """Return the redactors for a project's texts; quick, no I/O."""
        known = self._by_project.get(project_id)
        if known is not None:
            return known.opened.cleaner
        plain = self._without_rules.get(project_id)
        if plain is None:
            made = Cleaner(emails=self._emails, counts=self._counts_of(project_id))
            plain = self._without_rules.setdefault(project_id, made)
        return plain

    def fault(self, project_id: UUID) -> str | None:
        """Return why a project's rules cannot be used, as far as this process knows."""
        known = self._by_project.get(project_id)
        return None if known is None else known.opened.fault

    def counts(self, project_id: UUID) -> dict[str, int]:
        """Return what this process took out of a project's texts since `counted_since`, by rule."""
        known = self._counts.get(project_id)
        return {} if known is None else known.snapshot()

    async def start(self) -> None:
        """Read the rules of every project before anything is stored, and begin to watch them."""
        await self._database.run_at_start(self._load)
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop watching; what is known stays in force. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def refresh(self) -> None:
        """Read what has changed."""
        await self._database.run(self._load)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001 - the database is away; the rules stay
                log.debug("rules of redaction could not be read: %s", type(error).__name__)

    def _load(self, connection: Connection) -> None:
        found: dict[UUID, _Known] = {}
        for project_id, version in redaction_rules.versions(connection).items():
            known = self._by_project.get(project_id)
            if known is None or known.version != version:
                known = _Known(version, self._open(connection, project_id))
            found[project_id] = known
        self._by_project = found

    def _open(self, connection: Connection, project_id: UUID) -> Opened:
        row = redaction_rules.find(connection, project_id)
        text = msgspec.json.encode(ProjectRules()).decode() if row is None else row.rules
        opened = open_rules(text, emails=self._emails, counts=self._counts_of(project_id))
        if opened.fault is not None:
            log.error(
                "The rules of redaction of project %s cannot be used, so all its arguments,"
                " results, messages and tracebacks are hidden. Store its rules again: %s",
                project_id,
                opened.fault,
            )
        return opened

    def _counts_of(self, project_id: UUID) -> ProjectCounts:
        return self._counts.setdefault(project_id, ProjectCounts())
