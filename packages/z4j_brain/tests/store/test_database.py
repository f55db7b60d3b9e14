"""A read is one snapshot, on both databases."""

from __future__ import annotations

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
