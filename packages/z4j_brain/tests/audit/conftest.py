"""An instance with a project whose audit log has some rows, and a hostile owner of its database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.audit.author import Actor, Author, Target
from z4j_brain.audit.proof import Proof, prove
from z4j_brain.audit.recording import begin, record
from z4j_brain.keys import Keys
from z4j_brain.store import audit, projects
from z4j_brain.store.audit import AuditRow
from z4j_brain.store.database import Database

KEYS = Keys(b"m" * 40, b"s" * 40)
NOON = 1_700_000_000_000_000


class Log:
    """The audit log of an instance with the project shop."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.author = Author(
            KEYS, Actor("person", uuid.UUID(int=9), "ada@example.org"), "::1", "r1"
        )
        with database.write() as connection:
            self.project_id = projects.create(connection, name="Shop", now=NOON).id
            begin(connection, KEYS)

    def add(self, number: int, author: Author | None = None, **more: Any) -> None:
        """Record this many changes of the project, each in a transaction of its own."""
        for index in range(number):
            with self.database.write() as connection:
                target = Target("agent", str(index), f"agent {index}")
                record(
                    connection,
                    author or self.author,
                    "agent.created",
                    target,
                    project_id=self.project_id,
                    **more,
                )

    def rows(self, chain: uuid.UUID | None = None) -> list[AuditRow]:
        with self.database.read() as connection:
            return audit.rows_after(connection, chain or self.project_id, None, 10_000)

    def attack(self, sql: str, **values: Any) -> None:
        """Do as the owner of the database can."""
        with self.database.write() as connection:
            assert connection.execute(text(sql), values).rowcount, sql

    def proofs(self, *former: Keys, checkpoint: Any = None) -> dict[str, Proof]:
        found = prove(self.database, [KEYS, *former], checkpoint)
        return {proof.name: proof for proof in found}

    def broken(self, name: str = "shop", **more: Any) -> tuple[int, str]:
        """Return where and why a chain is broken."""
        proof = self.proofs(**more)[name]
        assert proof.broken is not None
        return proof.broken.number, proof.broken.reason

    def is_whole(self, **more: Any) -> bool:
        return all(proof.broken is None for proof in self.proofs(**more).values())


@pytest.fixture
def log(record_url: str, tmp_path: Path) -> Iterator[Log]:
    database = Database(record_url, pool_size=4)
    yield Log(database)
    database.close()
