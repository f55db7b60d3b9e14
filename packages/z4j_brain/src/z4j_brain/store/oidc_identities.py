"""Whose account an identity of an identity provider opens. The key is (issuer, subject)."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from z4j_brain.store.schema import oidc_identities as identities


class Identity(msgspec.Struct, frozen=True):
    """A link. Times are microseconds."""

    issuer: str
    subject: str
    user_id: uuid.UUID
    linked_at: int
    used_at: int


def find(connection: Connection, issuer: str, subject: str) -> Identity | None:
    """Find the account of an identity."""
    row = connection.execute(
        select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    ).first()
    return None if row is None else Identity(*row)


def of_user(connection: Connection, user_id: uuid.UUID) -> list[Identity]:
    """Return every identity of an account, one an issuer."""
    rows = connection.execute(
        select(identities).where(identities.c.user_id == user_id).order_by(identities.c.issuer)
    )
    return [Identity(*row) for row in rows]


def create(connection: Connection, issuer: str, subject: str, user_id: uuid.UUID, now: int) -> None:
    """Link an identity; `IntegrityError` when it, or the account, has a link at this issuer."""
    connection.execute(
        insert(identities).values(
            issuer=issuer, subject=subject, user_id=user_id, linked_at=now, used_at=now
        )
    )


def touch(connection: Connection, issuer: str, subject: str, now: int) -> None:
    """Note that somebody signs in by it."""
    connection.execute(
        update(identities)
        .where(identities.c.issuer == issuer, identities.c.subject == subject)
        .values(used_at=now)
    )


def remove_of_user(connection: Connection, user_id: uuid.UUID) -> int:
    """Delete every link of an account; return how many there were."""
    return connection.execute(delete(identities).where(identities.c.user_id == user_id)).rowcount
