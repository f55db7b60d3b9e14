"""Projects, and who may enter them."""

from __future__ import annotations

import re
import unicodedata
import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, and_, insert, or_, select, true

from z4j_brain.store.schema import feeds, memberships, projects, users
from z4j_brain.store.types import new_id


class ProjectAccess(msgspec.Struct, frozen=True):
    """A project that a person may enter, and in which role."""

    id: uuid.UUID
    slug: str
    name: str
    role: str


def slug_of(name: str) -> str:
    """Make the part of an URL that stands for a name; at most 60 characters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or "project"


def create(connection: Connection, *, name: str, now: int) -> ProjectAccess:
    """Create a project with its feed; raises `IntegrityError` when the slug is taken."""
    project = ProjectAccess(new_id(), slug_of(name), name.strip(), "admin")
    connection.execute(
        insert(projects).values(id=project.id, slug=project.slug, name=project.name, created_at=now)
    )
    connection.execute(insert(feeds).values(project_id=project.id, position=0))
    return project


def find_slug(connection: Connection, slug: str) -> uuid.UUID | None:
    """Return the id of a project."""
    return connection.execute(select(projects.c.id).where(projects.c.slug == slug)).scalar()


def slugs(connection: Connection) -> list[str]:
    """Return the slugs of the first 20 projects."""
    found = select(projects.c.slug).order_by(projects.c.slug).limit(20)
    return list(connection.execute(found).scalars())


def entered_by(connection: Connection, user_id: uuid.UUID) -> list[ProjectAccess]:
    """Return every project that somebody may enter, by name."""
    rows = connection.execute(_accessible(user_id).order_by(projects.c.name, projects.c.slug))
    return [_access(row) for row in rows]


def find_access(connection: Connection, user_id: uuid.UUID, slug: str) -> ProjectAccess | None:
    """Return one project if that person may enter it."""
    row = connection.execute(_accessible(user_id).where(projects.c.slug == slug)).first()
    return None if row is None else _access(row)


def _accessible(user_id: uuid.UUID) -> Select[*tuple[Any, ...]]:
    mine = and_(memberships.c.project_id == projects.c.id, memberships.c.user_id == user_id)
    return (
        select(
            projects.c.id, projects.c.slug, projects.c.name, users.c.is_admin, memberships.c.role
        )
        .select_from(projects.join(users, true()).outerjoin(memberships, mine))
        .where(users.c.id == user_id, or_(users.c.is_admin, memberships.c.role.is_not(None)))
    )


def _access(row: Row[Any]) -> ProjectAccess:
    role = "admin" if row.is_admin else str(row.role)
    return ProjectAccess(row.id, row.slug, row.name, role)
