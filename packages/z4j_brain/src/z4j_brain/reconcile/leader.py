"""Which of several replicas does the periodic work: the one that holds an advisory lock.

The lock belongs to a session of the database, so it is held on a connection of its own, outside the
pool: when the connection is lost, the lock is, and another replica takes over.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from z4j_brain.store.database import Database
from z4j_brain.store.leadership import name_session, session_is_alive, stop_leading, try_to_lead

log = logging.getLogger("z4j.reconcile")


class Leader(Protocol):
    """What the reconciler asks before each step. Blocking; callable from any thread."""

    def hold(self) -> bool:
        """Lead if nobody else does; tell whether we lead now."""

    def release(self) -> None:
        """Let another replica lead. `hold` may be called again."""


class OnlyProcess:
    """SQLite has one server, which always leads."""

    def hold(self) -> bool:
        """See `Leader`."""
        return True

    def release(self) -> None:
        """See `Leader`."""


class LockHolder:
    """PostgreSQL: the leader is whose session holds the lock."""

    def __init__(self, database: Database, replica: str) -> None:
        self._database = database
        self._replica = replica
        self._connection: Connection | None = None
        self._is_held = False
        self._guard = threading.Lock()

    def hold(self) -> bool:
        """See `Leader`. A database that does not answer makes us no leader."""
        with self._guard:
            try:
                connection = self._open()
                if self._is_held:
                    session_is_alive(connection)
                else:
                    self._is_held = try_to_lead(connection)
            except SQLAlchemyError as error:
                if self._is_held:
                    log.warning("the leader's connection is lost: %s", type(error).__name__)
                else:
                    log.debug("nobody can be elected now", exc_info=True)
                self._close()
            return self._is_held

    def release(self) -> None:
        """See `Leader`."""
        with self._guard:
            if self._connection is not None and self._is_held:
                with suppress(SQLAlchemyError):  # a lost session has no lock any more
                    stop_leading(self._connection)
            self._close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._database.engine.connect()
            # No transaction, which would stay open as long as we lead.
            self._connection.execution_options(isolation_level="AUTOCOMMIT")
            # Detached: it is ours for good, and closing it ends the session and so the lock.
            self._connection.detach()
            name_session(self._connection, self._replica)
        return self._connection

    def _close(self) -> None:
        self._is_held = False
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # a broken connection may fail to close
                connection.close()


def leader_of(database: Database, replica: str) -> Leader:
    """Return the election that fits the database."""
    return LockHolder(database, replica) if database.is_postgres else OnlyProcess()
