"""Who belongs to a project, in which role."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update

from z4j_brain.store.schema import memberships, projects, users


class MemberRow(msgspec.Struct, frozen=True):
    """Somebody's role in a project."""

    user_id: uuid.UUID
    email: str
    name: str
    role: str
    is_disabled: bool


def count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count the members of a project."""
    found = select(func.count()).where(memberships.c.project_id == project_id)
    return connection.execute(found).scalar_one()


def page(
    connection: Connection, project_id: uuid.UUID, after_email: str, limit: int
) -> list[MemberRow]:
    """Return the members whose address comes after the given one, by address."""
    rows = connection.execute(
        _rows(project_id).where(users.c.email > after_email).order_by(users.c.email).limit(limit)
    )
    return [_row(row) for row in rows]


def find(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID) -> MemberRow | None:
    """Return one member."""
    row = connection.execute(_rows(project_id).where(users.c.id == user_id)).first()
    return None if row is None else _row(row)


def has_email(connection: Connection, project_id: uuid.UUID, email: str) -> bool:
    """Tell whether the account of that address belongs to the project."""
    return connection.execute(_rows(project_id).where(users.c.email == email)).first() is not None


def lock(connection: Connection, project_id: uuid.UUID) -> None:
    """Let nobody else change the project's members before this transaction ends.

    Rows that refer to the project can still be written: FOR NO KEY UPDATE.
    """
    connection.execute(
        select(projects.c.id).where(projects.c.id == project_id).with_for_update(key_share=True)
    ).all()


def admins(connection: Connection, project_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the admins of a project who may sign in."""
    rows = connection.execute(
        _rows(project_id).where(memberships.c.role == "admin", users.c.disabled_at.is_(None))
    )
    return {row.user_id for row in rows}


def change_role(
    connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID, role: str
) -> None:
    """Change the role of a member."""
    connection.execute(
        update(memberships)
        .where(memberships.c.project_id == project_id, memberships.c.user_id == user_id)
        .values(role=role)
    )


def remove(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Take somebody out of a project."""
    connection.execute(
        delete(memberships).where(
            memberships.c.project_id == project_id, memberships.c.user_id == user_id
        )
    )


def _rows(project_id: uuid.UUID) -> Any:
    return (
        select(
            memberships.c.user_id,
            users.c.email,
            users.c.name,
            memberships.c.role,
            users.c.disabled_at,
        )
        .join(users, users.c.id == memberships.c.user_id)
        .where(memberships.c.project_id == project_id)
    )


def _row(row: Row[Any]) -> MemberRow:
    return MemberRow(row.user_id, row.email, row.name, row.role, row.disabled_at is not None)
