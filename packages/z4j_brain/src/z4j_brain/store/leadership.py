"""The lock on PostgreSQL that one replica holds as long as it leads. It belongs to a session."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from z4j_brain.store.types import to_micros

_LOCK = 0x7A34_6A03
_NAME = "z4j leader "


class Leadership(msgspec.Struct, frozen=True):
    """Who leads: the replica, and since when its session is open (microseconds)."""

    replica: str
    since: int


def name_session(connection: Connection, replica: str) -> None:
    """Let the session tell whose it is; `present_leader` reads it."""
    connection.execute(
        text("SELECT set_config('application_name', :name, false)"), {"name": _NAME + replica}
    )


def try_to_lead(connection: Connection) -> bool:
    """Take the lock for this session unless another has it; tell whether we have it."""
    return bool(
        connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar_one()
    )


def stop_leading(connection: Connection) -> None:
    """Give the lock up at once; the end of a session does so a moment later."""
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def session_is_alive(connection: Connection) -> None:
    """Raise an error of the database if the session, and with it the lock, is gone."""
    connection.execute(text("SELECT 1"))


def present_leader(connection: Connection) -> Leadership | None:
    """Return who holds the lock; None when nobody does, and on SQLite."""
    if connection.dialect.name != "postgresql":
        return None
    row = connection.execute(
        text(
            # A key of one bigint is shown in halves, with objsubid 1 (pg_locks in the manual).
            "SELECT session.application_name, session.backend_start"
            " FROM pg_locks AS held JOIN pg_stat_activity AS session ON session.pid = held.pid"
            " WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1"
            " AND held.classid = 0 AND held.objid = :lock AND held.database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"lock": _LOCK},
    ).first()
    if row is None:
        return None
    return Leadership(row.application_name.removeprefix(_NAME), to_micros(row.backend_start))
