"""Day partitions of `events` on PostgreSQL, by `received_at` in UTC. SQLite has none."""

from __future__ import annotations

from sqlalchemy import Connection, text

from z4j_brain.store.types import to_datetime

DAY_US = 86_400_000_000
DAYS_AHEAD = 3
_LOCK = 0x7A34_6A01


def partition_of(at: int) -> str:
    """Return the name of the table that holds the events received at this time."""
    return f"events_p{to_datetime(at):%Y%m%d}"


def ensure_partitions(connection: Connection, now: int, days_ahead: int = DAYS_AHEAD) -> int:
    """Create the partitions of today and of the days ahead that are missing.

    Return the end of the last one in microseconds: every event received before it finds its
    table. Safe to call from several processes at once, and cheap when nothing is missing.
    """
    start = now - now % DAY_US
    days = [start + DAY_US * index for index in range(days_ahead + 1)]
    if connection.dialect.name == "postgresql":
        _create_missing(connection, days)
    return days[-1] + DAY_US


def _create_missing(connection: Connection, days: list[int]) -> None:
    if not _missing(connection, days):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    for day in _missing(connection, days):
        _create(connection, day)


def _missing(connection: Connection, days: list[int]) -> list[int]:
    # A plain query of the catalogue sees what was committed while we waited for the lock;
    # pg_partition_tree() may answer from this transaction's older view of it.
    attached = set(
        connection.execute(
            text(
                "SELECT child.relname FROM pg_inherits AS link"
                " JOIN pg_class AS child ON child.oid = link.inhrelid"
                " WHERE link.inhparent = 'events'::regclass"
            )
        ).scalars()
    )
    return [day for day in days if partition_of(day) not in attached]


def _create(connection: Connection, day: int) -> None:
    name = partition_of(day)
    since, until = (to_datetime(at).isoformat() for at in (day, day + DAY_US))
    # Attaching takes a weaker lock on the parent than CREATE TABLE … PARTITION OF does, so
    # writers and readers of the other partitions go on.
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {name} (LIKE events INCLUDING DEFAULTS)"))
    connection.execute(
        text(
            f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')"
        )
    )
