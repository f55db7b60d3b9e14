"""What an administrator asks of a whole instance: sizes, retention, oldest event, leader."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from z4j_brain.reconcile.retention import RULES
from z4j_brain.settings import Settings
from z4j_brain.store import migrate, sizes, workers
from z4j_brain.store.leadership import Leadership, present_leader
from z4j_brain.store.sizes import TableSize


class TableStatus(msgspec.Struct, frozen=True):
    """A table and for how many days its rows are kept; None is until somebody removes them."""

    size: TableSize
    kept_days: int | None


class InstanceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An instance now. Times in microseconds since the epoch. SQLite needs no leader."""

    database: str
    step: str | None
    newest_step: str
    bytes: int
    tables: list[TableStatus]
    oldest_event_at: int | None
    workers_online: int
    leader: Leadership | None


def instance_status(connection: Connection, settings: Settings) -> InstanceStatus:
    """Read the status. Bounded work, whatever the tables hold; they are those of this version."""
    days = {rule.table.name: rule.days(settings) for rule in RULES}
    days["audit"] = settings.audit_retention_days or None
    return InstanceStatus(
        database=_database(connection),
        step=migrate.current(connection),
        newest_step=migrate.HEAD,
        bytes=sizes.database_bytes(connection),
        tables=[TableStatus(size, days.get(size.name)) for size in sizes.table_sizes(connection)],
        oldest_event_at=sizes.oldest_event_at(connection),
        workers_online=workers.online_count(connection),
        leader=present_leader(connection),
    )


def _database(connection: Connection) -> str:
    name = "PostgreSQL" if connection.dialect.name == "postgresql" else "SQLite"
    return f"{name} {'.'.join(map(str, connection.dialect.server_version_info or ()))}"
