"""Brings a database to the tables of this version. Alembic is imported only for that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from z4j_brain import clock
from z4j_brain.store.database import Database
from z4j_brain.store.partitions import ensure_partitions

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0017"
"""The newest step in `migrations/versions`."""
_LOCK = 0x7A34_6A02


class NewerDatabaseError(Exception):
    """The database was migrated by a newer version of z4j."""


def current(connection: Connection) -> str | None:
    """Return the step the database is at; None for one that holds no z4j."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def at_head(connection: Connection) -> bool:
    """Tell whether the tables are those of this version."""
    return current(connection) == HEAD


def upgrade(database: Database, on_step: Callable[[str], None] | None = None) -> None:
    """Run the missing steps in one transaction, and make the partitions of the days ahead.

    Of several processes, one does it and the others wait. `on_step` is told what each step does.
    Raises `NewerDatabaseError`.
    """
    with database.write() as connection:
        if database.is_postgres:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not at_head(connection):
            _run_steps(connection, on_step)
        ensure_partitions(connection, clock.now())


def _run_steps(connection: Connection, on_step: Callable[[str], None] | None) -> None:
    from alembic import command
    from alembic.util import CommandError

    def applied(*, step: Any, **_rest: Any) -> None:
        if on_step is not None:
            on_step(f"{step.up_revision_id}: {step.up_revision.doc}")

    config = configuration(connection)
    config.attributes["on_version_apply"] = applied
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise NewerDatabaseError(
            f"The database is at step {current(connection)}, which this version of z4j does"
            " not know: it was used by a newer one. Install that version, or newer."
        ) from error


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration, without any file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
