"""The ingest transaction: positions, events and all that follows from them, or nothing."""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from z4j_brain.store import (
    feeds,
    ingest_postgres,
    ingest_sqlite,
    issues_write,
    sealed_payloads,
)
from z4j_brain.store.database import Database
from z4j_brain.store.gaps import add_gaps, add_rejected
from z4j_brain.store.ingest_batch import Batch, StalePosition
from z4j_brain.store.issue_rows import IssueKey
from z4j_brain.store.partitions import ensure_partitions
from z4j_brain.store.schema import workers

Finish = Callable[[Connection, UUID, str, bool, str, str | None, int], UUID | None]
"""`store.commands.finish`: record a worker's result; return the row's id unless it was final."""

Tell = Callable[[Connection, dict[UUID, list[UUID]]], None]
"""Records in the audit log that workers have ended commands: their ids by project."""

_OF_THE_DATA = (sqlite3.IntegrityError, sqlite3.DataError, struct.error, ValueError, OverflowError)
_STATES_OF_THE_DATA = ("22", "23", "54")
"""Classes of SQLSTATE (PostgreSQL manual, appendix A): data exception, integrity constraint
violation, program limit exceeded."""


class Committed(msgspec.Struct):
    """What a transaction changed, for the live feed: the offset of each project, and commands.

    `events` and `rejected` are how many of each it stored.
    """

    offsets: dict[UUID, int] = {}
    commands: dict[UUID, list[UUID]] = {}
    events: int = 0
    rejected: int = 0


class Transactions:
    """One connection of its own, one transaction at a time. For one thread only."""

    def __init__(
        self, database: Database, writer: str, finish: Finish, tell: Tell | None = None
    ) -> None:
        self._database = database
        self._writer = writer
        self._finish = finish
        self._tell = tell
        self._hot: ModuleType = ingest_postgres if database.is_postgres else ingest_sqlite
        self._connection: Connection | None = None
        self._partitions_until = 0
        self._known_issues: set[IssueKey] = set()

    def commit(self, batch: Batch) -> Committed:
        """Store a batch. Raise `StalePosition`, a refusal of the data, or a failure."""
        self._ensure_partitions(batch)
        with self._transaction() as connection:
            self._hot.write_marks(connection, batch.marks)
            self._write_content(connection, batch)
            add_gaps(connection, batch.gaps)
            add_rejected(connection, batch.rejected)
            committed = Committed(
                commands=self._finish_commands(connection, batch),
                events=len(batch.events),
                rejected=len(batch.rejected),
            )
            # Last, because it orders the commits of a project; sorted, against deadlocks.
            for project_id in sorted(batch.projects):
                committed.offsets[project_id] = feeds.advance(connection, project_id)
        return committed

    def rehearse(self, batch: Batch) -> None:
        """Write a batch's events and tasks and undo it, to learn whether they are refused."""
        self._ensure_partitions(batch)
        with self._transaction(undo=True) as connection:
            self._write_content(connection, batch)

    def positions(self, rows: set[UUID]) -> dict[UUID, int]:
        """Return the committed positions of these workers; a row that is gone is missing."""
        with self._transaction() as connection:
            found = connection.execute(
                select(workers.c.id, workers.c.last_frame).where(workers.c.id.in_(rows))
            )
            return {row.id: row.last_frame for row in found}

    def offsets(self, projects: Iterable[UUID]) -> dict[UUID, int]:
        """Return the present offsets of these projects' feeds."""
        with self._transaction() as connection:
            return {project_id: feeds.position(connection, project_id) for project_id in projects}

    def ensure_partitions(self, now: int) -> None:
        """Create the partitions of the days ahead."""
        with self._transaction() as connection:
            until = ensure_partitions(connection, now)
        self._partitions_until = until

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # a broken connection may fail to close
                connection.close()

    def _write_content(self, connection: Connection, batch: Batch) -> None:
        issues_write.admit(connection, batch, self._known_issues)
        self._hot.write_events(connection, batch.events)
        self._hot.stage_tasks(connection, batch.tasks)
        self._hot.mark_minutes(connection, batch.tasks, batch.minutes, self._writer, time.time_ns())
        self._hot.write_tasks(connection, batch.tasks)
        sealed_payloads.write(connection, batch.seals)
        self._hot.write_rollups(connection, batch.rollups, self._writer)
        issues_write.write(connection, batch)

    def _finish_commands(self, connection: Connection, batch: Batch) -> dict[UUID, list[UUID]]:
        finished: dict[UUID, list[UUID]] = {}
        for result in batch.results:
            origin = result.origin
            row = self._finish(
                connection,
                origin.worker_row,
                result.command_id,
                result.ok,
                result.result,
                result.error,
                origin.received_at,
            )
            if row is not None:
                finished.setdefault(origin.project_id, []).append(row)
        if finished and self._tell is not None:
            self._tell(connection, finished)
        return finished

    def _ensure_partitions(self, batch: Batch) -> None:
        latest = max((stored.origin.received_at for stored in batch.events[-1:]), default=0)
        if latest >= self._partitions_until:
            self.ensure_partitions(latest)

    @contextmanager
    def _transaction(self, *, undo: bool = False) -> Iterator[Connection]:
        connection = self._open()
        try:
            with connection.begin() as transaction:
                self._database.begin_write(connection)
                yield connection
                if undo:
                    transaction.rollback()
        except BaseException as error:
            if not (is_refusal(error) or isinstance(error, StalePosition)):
                self._abandon()
            raise

    def _open(self) -> Connection:
        if self._connection is None:
            connection = self._database.engine.connect()
            try:
                self._hot.prepare_connection(connection)
                connection.commit()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _abandon(self) -> None:
        """After a failure nothing is known of the connection, nor of the partitions."""
        self._partitions_until = 0
        connection = self._connection
        if connection is not None:
            with suppress(Exception):  # it may be broken beyond that
                connection.invalidate()
        self.close()


def is_refusal(error: BaseException) -> bool:
    """Tell whether the database (or an encoder) refused the data itself: repeating is useless."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return str(state).startswith(_STATES_OF_THE_DATA)
    return isinstance(cause, _OF_THE_DATA)
