"""Sizes of tables, and the oldest event."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.reconcile.status import instance_status
from z4j_brain.settings import load
from z4j_brain.store import sizes
from z4j_brain.store.schema import metadata


def table(record: Any, name: str) -> sizes.TableSize:
    with record.database.read() as connection:
        return next(one for one in sizes.table_sizes(connection) if one.name == name)


def fill(record: Any) -> None:
    for days in (12, 3):
        names = [f"t{number}" for number in range(200)]
        record.tell(days, *(record.event(f"{name}-{days}", "published", days) for name in names))
    if record.database.is_postgres:
        with record.database.write() as connection:
            connection.execute(text("ANALYZE"))


def test_every_table_is_told_with_its_partitions(record: Any) -> None:
    fill(record)
    with record.database.read() as connection:
        found = sizes.table_sizes(connection)
        whole = sizes.database_bytes(connection)
    assert [one.name for one in found] == sorted(metadata.tables)
    assert table(record, "events").rows == 400
    assert table(record, "tasks").rows == 400
    told = {one.name: one.bytes for one in found if one.bytes is not None}
    assert len(told) in (0, len(found)), "a build of SQLite without dbstat tells none"
    assert told or not record.database.is_postgres
    if told:
        assert min(told.values()) > 0
        assert told["events"] > told["users"]
        assert sum(told.values()) <= whole


def test_a_count_on_sqlite_is_capped(record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "COUNT_CAP", 100)
    fill(record)
    found = table(record, "tasks")
    if record.database.is_postgres:
        assert (found.rows, found.accuracy) == (400, "estimate")
    else:
        assert (found.rows, found.accuracy) == (100, "at_least")
        assert table(record, "projects").accuracy == "exact"


def test_a_large_file_is_not_read_for_sizes(record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "LARGEST_MEASURED", 0)
    assert (table(record, "tasks").bytes is None) is not record.database.is_postgres


def test_the_oldest_event(record: Any) -> None:
    with record.database.read() as connection:
        assert sizes.oldest_event_at(connection) is None
    record.make_day(20)
    fill(record)
    with record.database.read() as connection:
        assert sizes.oldest_event_at(connection) == record.at(12)


def test_the_status_of_an_instance(record: Any) -> None:
    record.add_worker("w2", online=False)
    with record.database.read() as connection:
        found = instance_status(connection, load({}).settings)
    assert found.step == found.newest_step
    assert found.workers_online == 1
    assert found.leader is None
    days = {one.size.name: one.kept_days for one in found.tables}
    assert (days["events"], days["sessions"], days["users"]) == (30, 0, None)
