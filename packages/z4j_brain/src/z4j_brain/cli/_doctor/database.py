"""The database: reachable, new enough, with the tables of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from z4j_brain.brain import open_database
from z4j_brain.cli._doctor.finding import Finding, bad, good
from z4j_brain.cli._opening import describe, sqlite_file
from z4j_brain.settings import Settings
from z4j_brain.store.database import Database
from z4j_brain.store.migrate import HEAD, current

LEAST_POSTGRES = 17
LEAST_SQLITE = (3, 38, 0)


def look_at_database(settings: Settings) -> Iterator[Finding]:
    """Look at version and tables; what is in them is for others."""
    path = sqlite_file(settings)
    if settings.is_sqlite and not path.exists():
        yield bad(f"database: there is no {path} yet; `z4j serve` makes it.")
        return
    opened = open_database(settings)
    try:
        yield _version(opened)
        with opened.read() as connection:
            step = current(connection)
    except SQLAlchemyError as error:
        yield bad(f"database: {describe(error, settings)}")
        return
    finally:
        opened.close()
    if step == HEAD:
        yield good(f"tables: at step {HEAD}")
    else:
        yield bad(f"tables: at step {step}, not {HEAD}: run `z4j migrate`.")


def _version(opened: Database) -> Finding:
    with opened.read() as connection:
        version = [int(part) for part in connection.dialect.server_version_info or (0,)]
    shown = ".".join(map(str, version))
    if opened.is_postgres:
        if version[0] >= LEAST_POSTGRES:
            return good(f"database: PostgreSQL {shown}")
        return bad(f"database: PostgreSQL {shown}; z4j needs {LEAST_POSTGRES} or newer")
    if sqlite3.sqlite_version_info >= LEAST_SQLITE:
        return good(f"database: SQLite {sqlite3.sqlite_version}")
    return bad(
        f"database: SQLite {sqlite3.sqlite_version}; z4j needs 3.38 or newer, which comes with"
        " Python"
    )
