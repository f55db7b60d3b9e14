"""Signed-in browsers. The cookie's token is stored as a keyed hash only."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from z4j_brain.store.schema import sessions, users
from z4j_brain.store.types import new_id
from z4j_brain.store.users import User

_AT_ONCE = 500


class Entry(msgspec.Struct, frozen=True):
    """A session as its owner sees it. Times are microseconds."""

    id: uuid.UUID
    created_at: int
    seen_at: int
    expires_at: int
    address: str | None
    user_agent: str | None


class Session(msgspec.Struct, frozen=True):
    """One signed-in browser. Its person may have to set up a second step before anything else."""

    id: uuid.UUID
    user: User
    seen_at: int
    expires_at: int
    owes_second_factor: bool = False


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


def of_user(connection: Connection, user_id: uuid.UUID, now: int, idle_us: int) -> list[Entry]:
    """List the sessions of somebody that have not ended, the last used first."""
    rows = connection.execute(
        select(*(sessions.c[name] for name in Entry.__struct_fields__))
        .where(
            sessions.c.user_id == user_id,
            sessions.c.expires_at > now,
            sessions.c.seen_at > now - idle_us,
        )
        .order_by(sessions.c.seen_at.desc(), sessions.c.id)
    )
    return [Entry(*row) for row in rows]


def alive(
    connection: Connection, session_ids: list[uuid.UUID], now: int, idle_us: int
) -> set[uuid.UUID]:
    """Return those of the sessions that have not ended, of people who may sign in."""
    found: set[uuid.UUID] = set()
    for start in range(0, len(session_ids), _AT_ONCE):
        found |= set(
            connection.execute(
                select(sessions.c.id)
                .join(users, users.c.id == sessions.c.user_id)
                .where(
                    sessions.c.id.in_(session_ids[start : start + _AT_ONCE]),
                    sessions.c.expires_at > now,
                    sessions.c.seen_at > now - idle_us,
                    users.c.disabled_at.is_(None),
                )
            ).scalars()
        )
    return found


def remove_of_user(
    connection: Connection,
    user_id: uuid.UUID,
    *,
    only: uuid.UUID | None = None,
    but: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """End the sessions of somebody: all, one, or all but one; return which."""
    statement = delete(sessions).where(sessions.c.user_id == user_id)
    if only is not None:
        statement = statement.where(sessions.c.id == only)
    if but is not None:
        statement = statement.where(sessions.c.id != but)
    return list(connection.execute(statement.returning(sessions.c.id)).scalars())


def remove_beyond(connection: Connection, user_id: uuid.UUID, most: int) -> None:
    """End the sessions of somebody that were used least recently, but for so many."""
    kept = (
        select(sessions.c.id)
        .where(sessions.c.user_id == user_id)
        .order_by(sessions.c.seen_at.desc(), sessions.c.id)
        .limit(most)
    )
    connection.execute(
        delete(sessions).where(sessions.c.user_id == user_id, sessions.c.id.not_in(kept))
    )


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
