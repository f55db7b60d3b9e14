"""The redactors of each project, kept in step with the rules in the database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.redaction.cleaner import Cleaner
from z4j_brain.redaction.rules import ProjectRules, RuleFault, build
from z4j_brain.store import redaction_rules
from z4j_brain.store.database import Database

log = logging.getLogger("z4j.redaction")
REFRESH_S = 5.0
_rules = msgspec.json.Decoder(ProjectRules).decode


class ProjectCleaners:
    """Tells the redactors of a project. `of` is for any thread, all else for the event loop.

    A change is in force at once on the replica that made it, and within `REFRESH_S` seconds on
    every other one.
    """

    def __init__(self, database: Database, *, emails: bool = False) -> None:
        self._database = database
        self._emails = emails
        self._default = Cleaner(emails=emails)
        self._by_project: dict[UUID, tuple[int, Cleaner]] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, project_id: UUID) -> Cleaner:
        """Return the redactors for a project's texts; quick, no I/O."""
        known = self._by_project.get(project_id)
        return self._default if known is None else known[1]

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
        found: dict[UUID, tuple[int, Cleaner]] = {}
        for project_id, version in redaction_rules.versions(connection).items():
            known = self._by_project.get(project_id)
            if known is None or known[0] != version:
                known = (version, self._build(connection, project_id))
            found[project_id] = known
        self._by_project = found

    def _build(self, connection: Connection, project_id: UUID) -> Cleaner:
        row = redaction_rules.find(connection, project_id)
        try:
            rules = ProjectRules() if row is None else _rules(row.rules)
            return build(rules, emails=self._emails)
        except (RuleFault, msgspec.MsgspecError) as error:
            # They were checked when they were stored; another version of RE2 may judge otherwise.
            log.error(
                "A rule of redaction of project %s cannot be used, so only the built-in ones are "
                "in force there. Store its rules again: %s",
                project_id,
                type(error).__name__,
            )
            return self._default
