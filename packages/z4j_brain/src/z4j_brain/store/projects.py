"""Projects, and who may enter them."""

from __future__ import annotations

import re
import unicodedata
import uuid
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    Select,
    Table,
    and_,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from z4j_brain.store.schema import agents, feeds, memberships, projects, users, workers
from z4j_brain.store.types import new_id


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    """A project as administrators of the instance see it; times in microseconds.

    `agents` are those that are not revoked. `last_event_at` is when its newest event was received,
    as far as its workers are still kept.
    """

    slug: str
    name: str
    created_at: int
    members: int
    agents: int
    last_event_at: int | None


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


def create(
    connection: Connection, *, name: str, now: int, slug: str | None = None
) -> ProjectAccess:
    """Create a project with its feed; raises `IntegrityError` when the slug is taken."""
    project = ProjectAccess(new_id(), slug or slug_of(name), name.strip(), "admin")
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


def count(connection: Connection) -> int:
    """Count all projects."""
    return connection.execute(select(func.count()).select_from(projects)).scalar_one()


def rename(connection: Connection, project_id: uuid.UUID, name: str) -> str:
    """Give a project another name and return the former one; the slug stays."""
    chosen = projects.c.id == project_id
    before = connection.execute(
        select(projects.c.name).where(chosen).with_for_update(key_share=True)
    )
    former = str(before.scalar_one())
    connection.execute(update(projects).where(chosen).values(name=name.strip()))
    return former


def every(connection: Connection) -> list[ProjectRow]:
    """Return all projects by name; reads all rows of members, agents and workers once."""
    belongs = _by_project(func.count(), memberships).subquery()
    works = _by_project(func.count(), agents).where(agents.c.revoked_at.is_(None)).subquery()
    heard = _by_project(func.max(workers.c.last_event_at), workers).subquery()
    rows = connection.execute(
        select(
            projects.c.slug,
            projects.c.name,
            projects.c.created_at,
            func.coalesce(belongs.c.figure, 0).label("members"),
            func.coalesce(works.c.figure, 0).label("agents"),
            heard.c.figure.label("last_event_at"),
        )
        .outerjoin(belongs, belongs.c.project_id == projects.c.id)
        .outerjoin(works, works.c.project_id == projects.c.id)
        .outerjoin(heard, heard.c.project_id == projects.c.id)
        .order_by(projects.c.name, projects.c.slug)
    )
    return [ProjectRow(**row._mapping) for row in rows]


def _by_project(figure: Any, table: Table) -> Select[*tuple[Any, ...]]:
    owner = table.c.project_id
    return select(owner, figure.label("figure")).select_from(table).group_by(owner)


def entered_by(connection: Connection, user_id: uuid.UUID) -> list[ProjectAccess]:
    """Return every project that somebody may enter, by name."""
    rows = connection.execute(_accessible(user_id).order_by(projects.c.name, projects.c.slug))
    return [_access(row) for row in rows]


def find_access(connection: Connection, user_id: uuid.UUID, slug: str) -> ProjectAccess | None:
    """Return one project if that person may enter it."""
    row = connection.execute(_accessible(user_id).where(projects.c.slug == slug)).first()
    return None if row is None else _access(row)


def present_role(connection: Connection, user_id: uuid.UUID, project_id: uuid.UUID) -> str | None:
    """Return the role that somebody has in a project now; None for who may not enter it."""
    row = connection.execute(
        _accessible(user_id).where(projects.c.id == project_id, users.c.disabled_at.is_(None))
    ).first()
    return None if row is None else _access(row).role


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
