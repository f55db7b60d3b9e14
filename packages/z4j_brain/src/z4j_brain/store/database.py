"""One database, SQLite or PostgreSQL, behind plain synchronous transactions.

Queries are synchronous functions of a `Connection`. Command-line verbs call them directly; the
server calls them on a small pool of threads (`Database.run`), as many as the connection pool holds,
so that the event loop never waits for the database.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

T = TypeVar("T")
START_PATIENCE_S = 30.0
START_RETRY_S = 0.5
_SQLITE_BUSY_S = 30
_log = logging.getLogger("z4j.store")
_LIVELINESS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A host or a network that vanished without a word is noticed within a minute, not after the
kernel's quarter of an hour (unanswered data) or two hours (idle). Seconds, the last milliseconds:
PostgreSQL manual, libpq, "Parameter Key Words". The URL may say otherwise."""


class Database:
    """The connection pool and its threads. Thread-safe. Close it when done."""

    def __init__(
        self, url: str, *, pool_size: int = 10, statement_timeout_ms: int = 30_000
    ) -> None:
        self.url = _with_driver(make_url(url))
        self.is_postgres = self.url.get_backend_name() == "postgresql"
        self.engine = self._create(pool_size, statement_timeout_ms)
        self._threads = ThreadPoolExecutor(pool_size, thread_name_prefix="z4j-database")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection for one or more queries of one snapshot."""
        with self.engine.connect() as connection:
            if self.is_postgres:
                connection = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            else:
                # Without it each query would be a snapshot of its own.
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end, or rolls back on an exception."""
        with self.engine.begin() as connection:
            self.begin_write(connection)
            yield connection

    def begin_write(self, connection: Connection) -> None:
        """Begin to write in a transaction of a caller's own connection."""
        if not self.is_postgres:
            # Take the write lock at once: a later upgrade from a read lock can fail.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    async def run(self, work: Callable[..., T], *arguments: Any, write: bool = False) -> T:
        """Call `work(connection, *arguments)` in a transaction on one of the threads."""

        def call() -> T:
            with self.write() if write else self.read() as connection:
                return work(connection, *arguments)

        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def run_at_start(self, work: Callable[..., T], *arguments: Any, write: bool = False) -> T:
        """As `run`, but wait up to half a minute for a database that is away at this moment."""
        give_up_at = time.monotonic() + START_PATIENCE_S
        while True:
            try:
                return await self.run(work, *arguments, write=write)
            except OperationalError as error:
                if time.monotonic() > give_up_at:
                    raise
                _log.warning("the database is away while z4j starts: %s", type(error.orig).__name__)
                await asyncio.sleep(START_RETRY_S)

    def close(self) -> None:
        """Wait for running work and close every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()

    def _create(self, pool_size: int, statement_timeout_ms: int) -> Engine:
        if self.is_postgres:
            options = f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC"
            return create_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=4,
                pool_pre_ping=True,
                hide_parameters=True,  # of statements in errors, which go to the log
                connect_args={
                    "options": options,
                    "application_name": "z4j",
                    **{key: _LIVELINESS[key] for key in _LIVELINESS.keys() - self.url.query.keys()},
                },
            )
        engine = create_engine(
            self.url,
            pool_size=pool_size,
            hide_parameters=True,
            connect_args=_sqlite_arguments(),
        )
        event.listen(engine, "connect", _prepare_sqlite)
        return engine


def _with_driver(url: URL) -> URL:
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _sqlite_arguments() -> dict[str, Any]:
    return {
        "timeout": _SQLITE_BUSY_S,
        "isolation_level": None,
        "check_same_thread": False,
    }


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    _add_missing_functions(connection)


def _add_missing_functions(connection: sqlite3.Connection) -> None:
    """SQLite may be built without its mathematical functions."""
    try:
        connection.execute("SELECT ln(1.0), ceil(1.0)")
    except sqlite3.OperationalError:
        connection.create_function("ln", 1, math.log, deterministic=True)
        connection.create_function("ceil", 1, math.ceil, deterministic=True)
