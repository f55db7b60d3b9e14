"""Counts of attempts to sign in, by keyed hashes, for the back-off."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, text, update

from z4j_brain.store.schema import sign_in_failures as failures
from z4j_brain.store.types import Bytes, UtcTime


class Count(msgspec.Struct, frozen=True):
    """How often a subject failed, and when last."""

    failures: int
    last_at: int


def counts(connection: Connection, subjects: list[bytes]) -> dict[bytes, Count]:
    """Return the counts that there are."""
    rows = connection.execute(select(failures).where(failures.c.subject.in_(subjects)))
    return {bytes(row.subject): Count(row.failures, row.last_at) for row in rows}


def add(connection: Connection, subject: bytes, now: int) -> None:
    """Count one attempt."""
    connection.execute(
        text(
            "INSERT INTO sign_in_failures (subject, failures, last_at) VALUES (:subject, 1, :now)"
            " ON CONFLICT (subject) DO UPDATE"
            " SET failures = sign_in_failures.failures + 1, last_at = excluded.last_at"
        ).bindparams(bindparam("subject", type_=Bytes), bindparam("now", type_=UtcTime())),
        {"subject": subject, "now": now},
    )


def take_back(connection: Connection, subjects: list[bytes]) -> None:
    """Uncount one attempt of each."""
    connection.execute(
        update(failures)
        .where(failures.c.subject.in_(subjects))
        .values(failures=failures.c.failures - 1)
    )
    connection.execute(delete(failures).where(failures.c.failures <= 0))


def forget(connection: Connection, subject: bytes) -> None:
    """Delete the count of a subject."""
    connection.execute(delete(failures).where(failures.c.subject == subject))


def forget_before(connection: Connection, at: int) -> None:
    """Delete the counts that are older."""
    connection.execute(delete(failures).where(failures.c.last_at < at))
