"""How large each table is: rows and bytes, from what the database knows without counting."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import Connection, func, literal_column, select, text
from sqlalchemy.exc import OperationalError

from z4j_brain.store.schema import events, metadata
from z4j_brain.store.types import UtcTime

COUNT_CAP = 100_000
"""SQLite counts no further."""
LARGEST_MEASURED = 256 * 1024 * 1024
"""SQLite tells the bytes of a table by reading the whole file; a larger one is not read."""

Accuracy = Literal["exact", "estimate", "at_least"]


class TableSize(msgspec.Struct, frozen=True):
    """A table with its indexes, and with its partitions; `bytes` is None if that costs too much."""

    name: str
    rows: int
    accuracy: Accuracy
    bytes: int | None


def table_sizes(connection: Connection) -> list[TableSize]:
    """Return every table of ours, by name. Bounded work whatever the tables hold."""
    is_postgres = connection.dialect.name == "postgresql"
    found = _of_postgres(connection) if is_postgres else _of_sqlite(connection)
    return sorted(found, key=lambda table: table.name)


def database_bytes(connection: Connection) -> int:
    """Return the size of the whole database."""
    query = (
        "SELECT pg_database_size(current_database())"
        if connection.dialect.name == "postgresql"
        else "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    )
    return int(connection.execute(text(query)).scalar_one())


def oldest_event_at(connection: Connection) -> int | None:
    """Return about when the oldest event was received, in microseconds; None without events.

    Events are appended as they come, so the first page of the oldest partition that holds any, or
    on SQLite the first row, is looked at and no more.
    """
    if connection.dialect.name != "postgresql":
        first = select(events.c.received_at).order_by(literal_column("rowid")).limit(1)
        return connection.execute(first).scalar()
    for name in _partitions(connection):
        oldest = select(func.min(literal_column("received_at", UtcTime()))).select_from(
            text(f"{name} WHERE ctid < '(1,0)'")
        )
        found: int | None = connection.execute(oldest).scalar()
        if found is not None:
            return found
    return None


def _partitions(connection: Connection) -> list[str]:
    query = text(
        "SELECT relid::regclass::text FROM pg_partition_tree('events') WHERE isleaf ORDER BY 1"
    )
    return list(connection.execute(query).scalars())


def _of_postgres(connection: Connection) -> list[TableSize]:
    rows = connection.execute(
        text(
            "SELECT parent.relname AS name, sum(pg_total_relation_size(part.oid))::bigint AS bytes,"
            # -1: never analysed; then the statistics collector knows of what came lately.
            " sum(CASE WHEN part.reltuples < 0 THEN pg_stat_get_live_tuples(part.oid)"
            "  ELSE part.reltuples END)::bigint AS rows"
            " FROM pg_class AS parent"
            " CROSS JOIN LATERAL ("
            "  SELECT parent.oid AS relid WHERE parent.relkind = 'r'"
            "  UNION ALL SELECT relid FROM pg_partition_tree(parent.oid)"
            "  WHERE parent.relkind = 'p' AND isleaf) AS leaf"
            " JOIN pg_class AS part ON part.oid = leaf.relid"
            " WHERE parent.oid = ANY(ARRAY(SELECT to_regclass(name)"
            "  FROM unnest(CAST(:names AS text[])) AS name))"
            " GROUP BY parent.relname"
        ),
        {"names": list(metadata.tables)},
    ).all()
    return [TableSize(row.name, row.rows, "estimate", row.bytes) for row in rows]


def _of_sqlite(connection: Connection) -> list[TableSize]:
    sizes = _bytes_on_sqlite(connection)
    found = []
    for table in metadata.sorted_tables:
        some = select(literal_column("1")).select_from(table).limit(COUNT_CAP).subquery()
        rows = connection.execute(select(func.count()).select_from(some)).scalar_one()
        accuracy: Accuracy = "exact" if rows < COUNT_CAP else "at_least"
        found.append(TableSize(str(table.name), rows, accuracy, sizes.get(table.name)))
    return found


def _bytes_on_sqlite(connection: Connection) -> dict[str, int]:
    """Ask `dbstat`, which not every build of SQLite has."""
    if database_bytes(connection) > LARGEST_MEASURED:
        return {}
    query = text(
        "SELECT item.tbl_name, sum(stat.pgsize) AS bytes FROM dbstat AS stat"
        " JOIN sqlite_schema AS item ON item.name = stat.name"
        " WHERE stat.aggregate = TRUE GROUP BY item.tbl_name"
    )
    try:
        return {row.tbl_name: row.bytes for row in connection.execute(query)}
    except OperationalError:
        return {}
