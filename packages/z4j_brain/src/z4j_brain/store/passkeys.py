"""Passkeys of people: the public half of each key pair, and what its authenticator has told."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from z4j_brain.store.schema import passkeys


class Passkey(msgspec.Struct, frozen=True):
    """A passkey. Times are microseconds.

    `rp_id` is the host name under which it was made and alone works. `sign_count` is the greatest
    counter that its authenticator has sent; most send 0 always.
    """

    id: uuid.UUID
    user_id: uuid.UUID
    credential_id: bytes
    public_key: bytes
    rp_id: str
    name: str
    sign_count: int
    created_at: int
    last_used_at: int | None


_COLUMNS = tuple(passkeys.c[name] for name in Passkey.__struct_fields__)


def create(connection: Connection, new: Passkey) -> None:
    """Store a passkey; raises `IntegrityError` when the credential is known."""
    connection.execute(insert(passkeys).values(msgspec.structs.asdict(new)))


def find(connection: Connection, credential_id: bytes) -> Passkey | None:
    """Find a passkey by what its authenticator calls it."""
    row = connection.execute(
        select(*_COLUMNS).where(passkeys.c.credential_id == credential_id)
    ).first()
    return None if row is None else _read(row)


def of_user(connection: Connection, user_id: uuid.UUID) -> list[Passkey]:
    """List somebody's passkeys, the oldest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(passkeys.c.user_id == user_id)
        .order_by(passkeys.c.created_at, passkeys.c.id)
    )
    return [_read(row) for row in rows]


def count(connection: Connection, user_id: uuid.UUID) -> int:
    """Count somebody's passkeys."""
    found = select(func.count()).select_from(passkeys).where(passkeys.c.user_id == user_id)
    return int(connection.execute(found).scalar_one())


def use(connection: Connection, passkey_id: uuid.UUID, sign_count: int, now: int) -> None:
    """Note that somebody has signed in with a passkey."""
    connection.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey_id)
        .values(sign_count=sign_count, last_used_at=now)
    )


def remove(connection: Connection, user_id: uuid.UUID, passkey_id: uuid.UUID) -> str | None:
    """Delete one of somebody's passkeys; return its name, or None when there is no such."""
    return connection.execute(
        delete(passkeys)
        .where(passkeys.c.user_id == user_id, passkeys.c.id == passkey_id)
        .returning(passkeys.c.name)
    ).scalar()


def remove_of_user(connection: Connection, user_id: uuid.UUID) -> int:
    """Delete all of somebody's passkeys; return how many there were."""
    return connection.execute(delete(passkeys).where(passkeys.c.user_id == user_id)).rowcount


def _read(row: Row[Any]) -> Passkey:
    return Passkey(
        id=row.id,
        user_id=row.user_id,
        credential_id=bytes(row.credential_id),
        public_key=bytes(row.public_key),
        rp_id=row.rp_id,
        name=row.name,
        sign_count=row.sign_count,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
