"""A read is one snapshot, on both databases."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import func, select

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
