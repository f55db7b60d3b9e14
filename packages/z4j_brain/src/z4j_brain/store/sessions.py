"""Signed-in browsers. The cookie's token is stored as a keyed hash only."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from z4j_brain.store.schema import sessions, users
from z4j_brain.store.types import new_id
from z4j_brain.store.users import User


class Session(msgspec.Struct, frozen=True):
    """One signed-in browser."""

    id: uuid.UUID
    user: User
    seen_at: int
    expires_at: int


def create(
    connection: Connection,
    *,
    token_hash: bytes,
    user_id: uuid.UUID,
    now: int,
    expires_at: int,
    address: str | None,
    user_agent: str | None,
) -> None:
    """Store a session."""
    connection.execute(
        insert(sessions).values(
            id=new_id(),
            token_hash=token_hash,
            user_id=user_id,
            created_at=now,
            seen_at=now,
            expires_at=expires_at,
            address=address,
            user_agent=user_agent,
        )
    )


def find(connection: Connection, token_hash: bytes, now: int, idle_us: int) -> Session | None:
    """Find a session that has not ended, of somebody who may sign in."""
    row = connection.execute(
        select(
            sessions.c.id,
            sessions.c.seen_at,
            sessions.c.expires_at,
            users.c.id.label("user_id"),
            users.c.email,
            users.c.name,
            users.c.is_admin,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.expires_at > now,
            sessions.c.seen_at > now - idle_us,
            users.c.disabled_at.is_(None),
        )
    ).first()
    if row is None:
        return None
    user = User(row.user_id, row.email, row.name, row.is_admin)
    return Session(row.id, user, row.seen_at, row.expires_at)


def touch(connection: Connection, session_id: uuid.UUID, now: int) -> None:
    """Note that a session is in use."""
    connection.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.seen_at < now)
        .values(seen_at=now)
    )


def remove(connection: Connection, session_id: uuid.UUID) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.id == session_id))


def remove_token(connection: Connection, token_hash: bytes) -> None:
    """End the session of a token; there need not be one."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def remove_ended(connection: Connection, now: int, idle_us: int) -> None:
    """Delete every session that has run out."""
    connection.execute(
        delete(sessions).where(
            (sessions.c.expires_at <= now) | (sessions.c.seen_at <= now - idle_us)
        )
    )
