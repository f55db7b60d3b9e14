"""A read is one snapshot, on both databases; a database may be away for a moment."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from services.postgres import Postgres
from z4j_brain.store import database as databases
from z4j_brain.store import migrate
from z4j_brain.store.database import Database
from z4j_brain.store.schema import projects
from z4j_brain.store.types import new_id


def test_a_read_does_not_see_what_is_committed_meanwhile(database_url: str) -> None:
    database = Database(database_url)
    try:
        migrate.upgrade(database)
        count = select(func.count()).select_from(projects)
        with database.read() as reading:
            before = reading.execute(count).scalar_one()
            with database.write() as writing:
                writing.execute(
                    projects.insert().values(id=new_id(), slug="a", name="A", created_at=1)
                )
            assert reading.execute(count).scalar_one() == before
        with database.read() as reading:
            assert reading.execute(count).scalar_one() == before + 1
    finally:
        database.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("query", "said"), [("", "30000"), ("?tcp_user_timeout=5000", "5000")])
def test_a_network_that_vanished_is_noticed(database_url: str, query: str, said: str) -> None:
    database = Database(database_url + query)
    try:
        with database.read() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)
            parameters = raw.info.get_parameters()
            assert parameters["tcp_user_timeout"] == said
            assert parameters["keepalives_idle"] == "30"
    finally:
        database.close()


def test_a_start_waits_for_a_database_that_comes_back(own_postgres: Postgres) -> None:
    database = Database(own_postgres.create_database())
    own_postgres.stop("immediate")

    async def start_while_it_comes_back() -> int:
        starting = asyncio.create_task(database.run_at_start(lambda connection: 1))
        await asyncio.sleep(1.0)
        assert not starting.done()
        own_postgres.start()
        return await starting

    try:
        assert asyncio.run(start_while_it_comes_back()) == 1
    finally:
        database.close()


def test_a_start_does_not_wait_for_ever(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "START_PATIENCE_S", 0.6)
    database = Database(own_postgres.create_database())
    own_postgres.stop("immediate")
    try:
        with pytest.raises(OperationalError):
            asyncio.run(database.run_at_start(lambda connection: 1))
    finally:
        database.close()
