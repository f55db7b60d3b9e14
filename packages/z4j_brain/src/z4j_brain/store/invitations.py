"""Open invitations to projects. The token is stored as a keyed hash only."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, or_, select

from z4j_brain.store.schema import invitations, memberships, projects, users
from z4j_brain.store.types import new_id


class InvitationRow(msgspec.Struct, frozen=True):
    """An open invitation. `is_backed` tells whether who invited may still do so."""

    id: uuid.UUID
    project_id: uuid.UUID
    project_name: str
    project_slug: str
    email: str
    role: str
    invited_by: str
    created_at: int
    expires_at: int
    is_backed: bool


def create(
    connection: Connection,
    project_id: uuid.UUID,
    *,
    email: str,
    role: str,
    token_hash: bytes,
    invited_by: uuid.UUID,
    now: int,
    expires_at: int,
) -> tuple[uuid.UUID, uuid.UUID | None]:
    """Store an invitation; return its id, and that of the older one of this address it replaces."""
    former = connection.execute(
        delete(invitations)
        .where(invitations.c.project_id == project_id, invitations.c.email == email)
        .returning(invitations.c.id)
    ).scalar()
    made = new_id()
    row = {"id": made, "project_id": project_id, "email": email, "role": role}
    connection.execute(
        insert(invitations).values(
            **row,
            token_hash=token_hash,
            invited_by=invited_by,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return made, former


def of_project(
    connection: Connection, project_id: uuid.UUID, now: int, inviting: Collection[str]
) -> list[InvitationRow]:
    """Return the invitations of a project that have not run out, by address."""
    rows = connection.execute(
        _rows(inviting)
        .where(invitations.c.project_id == project_id, invitations.c.expires_at > now)
        .order_by(invitations.c.email)
    )
    return [_row(row) for row in rows]


def count(connection: Connection, project_id: uuid.UUID, now: int) -> int:
    """Count the invitations of a project that have not run out."""
    found = select(func.count()).where(
        invitations.c.project_id == project_id, invitations.c.expires_at > now
    )
    return connection.execute(found).scalar_one()


def find_token(
    connection: Connection, token_hash: bytes, now: int, inviting: Collection[str]
) -> InvitationRow | None:
    """Return the invitation of a token that has not run out; `inviting` roles may invite."""
    row = connection.execute(
        _rows(inviting).where(
            invitations.c.token_hash == token_hash, invitations.c.expires_at > now
        )
    ).first()
    return None if row is None else _row(row)


def of_email(
    connection: Connection, email: str, now: int, inviting: Collection[str]
) -> list[InvitationRow]:
    """Return the invitations of an address that have not run out, by the projects' ids."""
    rows = connection.execute(
        _rows(inviting)
        .where(invitations.c.email == email, invitations.c.expires_at > now)
        .order_by(invitations.c.project_id)
    )
    return [_row(row) for row in rows]


def remove(
    connection: Connection, project_id: uuid.UUID, invitation_id: uuid.UUID
) -> tuple[str, str] | None:
    """Delete an invitation; return address and role: of two who use it at once, one is told."""
    removed = connection.execute(
        delete(invitations)
        .where(invitations.c.project_id == project_id, invitations.c.id == invitation_id)
        .returning(invitations.c.email, invitations.c.role)
    ).first()
    return None if removed is None else (removed.email, removed.role)


def _rows(inviting: Collection[str]) -> Any:
    has_role = exists().where(
        memberships.c.project_id == invitations.c.project_id,
        memberships.c.user_id == users.c.id,
        memberships.c.role.in_(inviting),
    )
    may = and_(users.c.disabled_at.is_(None), or_(users.c.is_admin, has_role))
    return (
        select(
            invitations,
            projects.c.name.label("project_name"),
            projects.c.slug.label("project_slug"),
            users.c.email.label("inviter"),
            may.label("is_backed"),
        )
        .join(projects, projects.c.id == invitations.c.project_id)
        .join(users, users.c.id == invitations.c.invited_by)
    )


def _row(row: Row[Any]) -> InvitationRow:
    return InvitationRow(
        row.id,
        row.project_id,
        row.project_name,
        row.project_slug,
        row.email,
        row.role,
        row.inviter,
        row.created_at,
        row.expires_at,
        bool(row.is_backed),
    )
