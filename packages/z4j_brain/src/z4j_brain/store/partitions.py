"""Day partitions of `events` on PostgreSQL, by `received_at` in UTC. SQLite has none."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from z4j_brain.store.types import to_datetime, to_micros

DAY_US = 86_400_000_000
DAYS_AHEAD = 3
LOCK_WAIT_MS = 250
"""The dropping of a partition holds up whoever uses `events` for no longer than this at a time."""
_LOCK = 0x7A34_6A01
_PREFIX = "events_p"


def partition_of(at: int) -> str:
    """Return the name of the table that holds the events received at this time."""
    return f"{_PREFIX}{to_datetime(at):%Y%m%d}"


def ensure_partitions(connection: Connection, now: int, days_ahead: int = DAYS_AHEAD) -> int:
    """Create the partitions of today and of the days ahead that are missing.

    Return the end of the last one in microseconds: every event received before it finds its
    table. Safe to call from several processes at once, and cheap when nothing is missing.
    """
    days = _days(now, days_ahead)
    create_missing(connection, days)
    return days[-1] + DAY_US


def create_ahead(connection: Connection, now: int) -> int:
    """Do what `ensure_partitions` does; return how many were missing."""
    return create_missing(connection, _days(now, DAYS_AHEAD))


def create_missing(connection: Connection, days: list[int]) -> int:
    """Create the partitions of these days that are missing; return how many. None on SQLite."""
    if connection.dialect.name != "postgresql" or not _missing(connection, days):
        return 0
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    missing = _missing(connection, days)
    for day in missing:
        _create(connection, day)
    return len(missing)


def _days(now: int, days_ahead: int) -> list[int]:
    start = now - now % DAY_US
    return [start + DAY_US * index for index in range(days_ahead + 1)]


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


class OldPartition(msgspec.Struct, frozen=True):
    """A partition all of whose events are too old; a detached one was left by an earlier try."""

    name: str
    is_attached: bool


def old_partitions(connection: Connection, cutoff: int) -> list[OldPartition]:
    """Return the partitions that hold only events received before `cutoff`, oldest first."""
    if connection.dialect.name != "postgresql":
        return []
    found = connection.execute(
        text(
            "SELECT child.relname, EXISTS (SELECT FROM pg_inherits AS link"
            "  WHERE link.inhrelid = child.oid AND link.inhparent = 'events'::regclass)"
            "  AS is_attached"
            " FROM pg_class AS child WHERE child.relkind = 'r' AND child.relnamespace ="
            "  (SELECT relnamespace FROM pg_class WHERE oid = 'events'::regclass)"
            " AND child.relname ~ :name ORDER BY child.relname"
        ),
        {"name": f"^{_PREFIX}[0-9]{{8}}$"},
    )
    return [
        OldPartition(name, is_attached)
        for name, is_attached in found
        if (day := day_of(name)) is not None and day + DAY_US <= cutoff
    ]


def day_of(partition: str) -> int | None:
    """Return the first moment of a partition's day in microseconds; None for another table."""
    try:
        day = datetime.strptime(partition.removeprefix(_PREFIX) + " +0000", "%Y%m%d %z")
    except ValueError:
        return None
    return to_micros(day)


def detach_partition(connection: Connection, name: str) -> None:
    """Take a partition out of `events`; `drop_partition` follows in a transaction of its own.

    This needs a moment in which nobody uses `events`. Whoever comes meanwhile waits behind us, and
    so we give up after `LOCK_WAIT_MS`: see `was_busy`.
    """
    _limit_wait(connection)
    connection.execute(text(f"ALTER TABLE events DETACH PARTITION {name}"))


def drop_partition(connection: Connection, name: str) -> None:
    """Delete a detached partition. Nothing else is locked, however long that takes."""
    _limit_wait(connection)
    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))


def was_busy(error: DBAPIError) -> bool:
    """Tell whether a lock was not to be had in time (SQLSTATE 55P03)."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


def _limit_wait(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
