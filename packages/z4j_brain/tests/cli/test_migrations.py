"""The tables that the migrations make are those that the code declares, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from z4j_brain.store import migrate
from z4j_brain.store.database import Database
from z4j_brain.store.schema import metadata

STEPS = list((Path(migrate.__file__).parent / "migrations" / "versions").glob("0*.py"))


def _is_declared(_item: object, name: str | None, kind: str, _found: bool, _other: object) -> bool:
    is_partition = name is not None and name.startswith("events_p")
    return not (kind == "table" and (name == "alembic_version" or is_partition))


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "include_object": _is_declared}
    found: list[Any] = compare_metadata(
        MigrationContext.configure(connection, opts=options), metadata
    )
    return found


@pytest.fixture
def database(database_url: str) -> Any:
    made = Database(database_url)
    yield made
    made.close()


def test_migrated_tables_are_the_declared_ones(database: Database) -> None:
    with database.read() as connection:
        assert migrate.current(connection) is None
        assert not migrate.at_head(connection)
    migrate.upgrade(database)
    with database.read() as connection:
        assert migrate.at_head(connection)
        assert _differences(connection) == []


def test_a_difference_would_be_seen(database: Database) -> None:
    migrate.upgrade(database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN stranger text"))
        connection.execute(text("DROP INDEX ix_tasks_recent"))
        assert len(_differences(connection)) == 2


def test_what_the_comparison_does_not_see(database: Database) -> None:
    """Partitioning and storage parameters of PostgreSQL, computed columns of both."""
    migrate.upgrade(database)
    with database.read() as connection:
        columns = {column["name"]: column for column in inspect(connection).get_columns("tasks")}
        assert "computed" in columns["trouble"]
        if not database.is_postgres:
            return
        options = connection.execute(
            text("SELECT reloptions FROM pg_class WHERE relname = 'tasks'")
        ).scalar_one()
        partitions = connection.execute(
            text("SELECT count(*) FROM pg_partition_tree('events') WHERE isleaf")
        ).scalar_one()
        collations = connection.execute(
            text(
                "SELECT DISTINCT collation_name FROM information_schema.columns"
                " WHERE table_name IN ('tasks', 'events') AND data_type = 'text'"
            )
        ).scalars()
        assert options == ["fillfactor=80"]
        assert partitions >= 2, "today and days ahead"
        assert list(collations) == ["C"]


def test_head_is_the_newest_step(database: Database) -> None:
    with database.read() as connection:
        script = ScriptDirectory.from_config(migrate.configuration(connection))
    assert script.get_heads() == [migrate.HEAD]


def test_many_may_migrate_at_once(database: Database, database_url: str) -> None:
    def upgrade(_: int) -> list[str]:
        own, steps = Database(database_url), list[str]()
        try:
            migrate.upgrade(own, steps.append)
        finally:
            own.close()
        return steps

    upgrade(0) if not database.is_postgres else None
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(upgrade, range(3)))
    with database.read() as connection:
        assert migrate.at_head(connection)
        assert _differences(connection) == []
    assert sum(map(len, done)) == (len(STEPS) if database.is_postgres else 0)


def test_a_step_that_fails_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no partitions today")

    monkeypatch.setattr(migrate, "ensure_partitions", fail)
    with pytest.raises(RuntimeError, match="no partitions"):
        migrate.upgrade(database)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == []
