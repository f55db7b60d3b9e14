"""People: accounts and their roles in projects."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from z4j_brain.store.schema import memberships, oidc_identities, sessions, users
from z4j_brain.store.types import new_id

NO_PASSWORD = ""
"""In place of a hash: the account is opened by an identity provider alone."""


class User(msgspec.Struct, frozen=True):
    """One account, without its password."""

    id: uuid.UUID
    email: str
    name: str
    is_admin: bool


class Account(msgspec.Struct, frozen=True):
    """What a sign-in needs to know."""

    user: User
    password_hash: str
    is_disabled: bool


class UserRow(msgspec.Struct, frozen=True):
    """An account as administrators of the instance see it. `seen_at` is of its open sessions."""

    user: User
    created_at: int
    disabled_at: int | None
    seen_at: int | None
    projects: int
    has_password: bool
    has_identity: bool


def normal_email(email: str) -> str:
    """Return the form under which an e-mail address is stored and looked up."""
    return email.strip().casefold()


def any_exist(connection: Connection) -> bool:
    """Tell whether anybody has an account yet."""
    return bool(connection.execute(select(exists(select(users.c.id)))).scalar_one())


def find_account(connection: Connection, email: str) -> Account | None:
    """Find an account by its e-mail address."""
    row = connection.execute(select(users).where(users.c.email == normal_email(email))).first()
    return None if row is None else _account(row)


def lock_account(connection: Connection, user_id: uuid.UUID) -> Account | None:
    """Read an account, and let nobody else change it before this transaction ends."""
    row = connection.execute(select(users).where(users.c.id == user_id).with_for_update()).first()
    return None if row is None else _account(row)


def find_user(connection: Connection, user_id: uuid.UUID) -> User | None:
    """Find somebody who may sign in."""
    row = connection.execute(
        select(users).where(users.c.id == user_id, users.c.disabled_at.is_(None))
    ).first()
    return None if row is None else User(row.id, row.email, row.name, row.is_admin)


def create(
    connection: Connection,
    *,
    email: str,
    name: str,
    password_hash: str,
    is_admin: bool,
    now: int,
) -> User:
    """Create an account; raises `IntegrityError` when the address has one."""
    user = User(new_id(), normal_email(email), name.strip(), is_admin)
    connection.execute(
        insert(users).values(
            id=user.id,
            email=user.email,
            name=user.name,
            password_hash=password_hash,
            is_admin=is_admin,
            created_at=now,
        )
    )
    return user


def set_password_hash(connection: Connection, user_id: uuid.UUID, password_hash: str) -> None:
    """Replace the hash of a password."""
    connection.execute(
        update(users).where(users.c.id == user_id).values(password_hash=password_hash)
    )


def has_password(connection: Connection, user_id: uuid.UUID) -> bool:
    """Tell whether an account can be signed in to by password."""
    query = select(users.c.id).where(users.c.id == user_id, users.c.password_hash != NO_PASSWORD)
    return connection.execute(query).first() is not None


def administers_any(connection: Connection, user_id: uuid.UUID) -> bool:
    """Tell whether somebody is an admin of a project."""
    found = select(memberships.c.user_id).where(
        memberships.c.user_id == user_id, memberships.c.role == "admin"
    )
    return bool(connection.execute(select(exists(found))).scalar_one())


def set_role(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID, role: str) -> None:
    """Make somebody a member of a project who is none yet."""
    connection.execute(
        insert(memberships).values(project_id=project_id, user_id=user_id, role=role)
    )


def count(connection: Connection) -> int:
    """Count all accounts."""
    return connection.execute(select(func.count()).select_from(users)).scalar_one()


def page(connection: Connection, after_email: str, limit: int) -> list[UserRow]:
    """Return the accounts whose address comes after the given one, by address."""
    rows = connection.execute(
        _rows().where(users.c.email > after_email).order_by(users.c.email).limit(limit)
    )
    return [_row(row) for row in rows]


def read(connection: Connection, user_id: uuid.UUID) -> UserRow | None:
    """Return one account, whether disabled or not."""
    row = connection.execute(_rows().where(users.c.id == user_id)).first()
    return None if row is None else _row(row)


def set_admin(connection: Connection, user_id: uuid.UUID, *, is_admin: bool) -> None:
    """Make somebody an administrator of the instance, or no longer one."""
    connection.execute(update(users).where(users.c.id == user_id).values(is_admin=is_admin))


def lock_admins(connection: Connection) -> set[uuid.UUID]:
    """Return the administrators of the instance who may sign in; they stay so meanwhile."""
    found = select(users.c.id).where(users.c.is_admin, users.c.disabled_at.is_(None))
    return set(
        connection.execute(found.order_by(users.c.id).with_for_update(key_share=True)).scalars()
    )


def set_disabled(connection: Connection, user_id: uuid.UUID, at: int | None) -> None:
    """Disable an account and end its sessions, or let its owner in again (None)."""
    connection.execute(update(users).where(users.c.id == user_id).values(disabled_at=at))
    if at is not None:
        connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


def _rows() -> Any:
    seen = select(func.max(sessions.c.seen_at)).where(sessions.c.user_id == users.c.id)
    entered = select(func.count()).where(memberships.c.user_id == users.c.id)
    linked = exists().where(oidc_identities.c.user_id == users.c.id)
    return select(
        users,
        linked.label("has_identity"),
        seen.scalar_subquery().label("seen_at"),
        entered.scalar_subquery().label("projects"),
    )


def _row(row: Row[Any]) -> UserRow:
    user = User(row.id, row.email, row.name, row.is_admin)
    return UserRow(
        user=user,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        seen_at=row.seen_at,
        projects=row.projects,
        has_password=row.password_hash != NO_PASSWORD,
        has_identity=bool(row.has_identity),
    )


def _account(row: Row[Any]) -> Account:
    user = User(row.id, row.email, row.name, row.is_admin)
    return Account(user, row.password_hash, row.disabled_at is not None)
