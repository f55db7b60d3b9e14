"""API keys: only a keyed hash of the secret is stored."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from z4j_brain.store.schema import api_keys as keys
from z4j_brain.store.schema import projects, users
from z4j_brain.store.users import User

TOUCH_EVERY_US = 60_000_000


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a key stands for. `project_id` None: all projects of its owner. Times in microseconds;
    `secret_hash` is not shown."""

    id: uuid.UUID
    owner: User
    is_owner_disabled: bool
    project_id: uuid.UUID | None
    project_slug: str | None
    name: str
    secret_hash: bytes
    scopes: frozenset[str]
    networks: tuple[str, ...]
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    last_address: str | None
    revoked_at: int | None

    def __repr__(self) -> str:
        return f"ApiKey(id={self.id})"


def create(
    connection: Connection,
    *,
    key_id: uuid.UUID,
    user_id: uuid.UUID,
    project_id: uuid.UUID | None,
    name: str,
    secret_hash: bytes,
    scopes: list[str],
    networks: list[str],
    now: int,
    expires_at: int | None,
) -> None:
    """Store a key."""
    connection.execute(
        insert(keys).values(
            id=key_id,
            user_id=user_id,
            project_id=project_id,
            name=name,
            secret_hash=secret_hash,
            scopes=scopes,
            networks=networks,
            created_at=now,
            expires_at=expires_at,
        )
    )


def find(connection: Connection, key_id: uuid.UUID) -> ApiKey | None:
    """Find a key, in force or not."""
    row = connection.execute(_rows().where(keys.c.id == key_id)).first()
    return None if row is None else _key(row)


def working_hashes(connection: Connection) -> Iterator[bytes]:
    """Yield the hash of every key that is not revoked; its end may have passed."""
    query = select(keys.c.secret_hash).where(keys.c.revoked_at.is_(None))
    return map(bytes, connection.execute(query).scalars())


def of_user(connection: Connection, user_id: uuid.UUID) -> list[ApiKey]:
    """Return somebody's keys that are not revoked, the newest first."""
    return _listed(connection, keys.c.user_id == user_id)


def of_project(connection: Connection, project_id: uuid.UUID, limit: int) -> list[ApiKey]:
    """Return the keys of a project that are not revoked, whoever made them, the newest first."""
    return _listed(connection, keys.c.project_id == project_id, limit)


def count_of_user(connection: Connection, user_id: uuid.UUID) -> int:
    """Count somebody's keys that are not revoked."""
    found = select(func.count()).where(keys.c.user_id == user_id, keys.c.revoked_at.is_(None))
    return connection.execute(found).scalar_one()


def revoke(connection: Connection, key_id: uuid.UUID, now: int) -> bool:
    """Revoke a key; tell whether it was in force: of two who do it at once, one is told."""
    statement = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
    return connection.execute(statement.values(revoked_at=now)).rowcount == 1


def touch(connection: Connection, key_id: uuid.UUID, now: int, address: str | None) -> None:
    """Note the use of a key, once a minute whatever the number of servers that see it."""
    connection.execute(
        update(keys)
        .where(
            keys.c.id == key_id,
            or_(keys.c.last_used_at.is_(None), keys.c.last_used_at <= now - TOUCH_EVERY_US),
        )
        .values(last_used_at=now, last_address=address)
    )


def _listed(
    connection: Connection, condition: ColumnElement[bool], limit: int | None = None
) -> list[ApiKey]:
    rows = connection.execute(
        _rows()
        .where(condition, keys.c.revoked_at.is_(None))
        .order_by(keys.c.id.desc())
        .limit(limit)
    )
    return [_key(row) for row in rows]


def _rows() -> Any:
    return (
        select(
            keys,
            users.c.email,
            users.c.name.label("user_name"),
            users.c.is_admin,
            users.c.disabled_at,
            projects.c.slug,
        )
        .join(users, users.c.id == keys.c.user_id)
        .outerjoin(projects, projects.c.id == keys.c.project_id)
    )


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        owner=User(row.user_id, row.email, row.user_name, row.is_admin),
        is_owner_disabled=row.disabled_at is not None,
        project_id=row.project_id,
        project_slug=row.slug,
        name=row.name,
        secret_hash=bytes(row.secret_hash),
        scopes=frozenset(row.scopes),
        networks=tuple(row.networks),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_address=row.last_address,
        revoked_at=row.revoked_at,
    )
