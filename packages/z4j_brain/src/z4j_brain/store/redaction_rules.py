"""What projects hide beyond the built-in rules: one row a project, without one nothing."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, insert, select, update

from z4j_brain.store.schema import projects, redaction_rules, users


class RulesRow(msgspec.Struct, frozen=True):
    """The rules of a project as JSON text, and who changed them last."""

    version: int
    rules: str
    changed_at: int
    changed_by: str | None


def versions(connection: Connection) -> dict[uuid.UUID, int]:
    """Return the version of every project's rules; it rises with each change."""
    rows = connection.execute(select(redaction_rules.c.project_id, redaction_rules.c.version))
    return {row.project_id: row.version for row in rows}


def every(connection: Connection) -> list[tuple[str, str]]:
    """Return the slug and the rules of every project that has some."""
    rows = connection.execute(
        select(projects.c.slug, redaction_rules.c.rules)
        .join(projects, projects.c.id == redaction_rules.c.project_id)
        .order_by(projects.c.slug)
    )
    return [(row.slug, row.rules) for row in rows]


def text_of(connection: Connection, project_id: uuid.UUID) -> str | None:
    """Return the rules of a project alone; None when nobody made any."""
    query = select(redaction_rules.c.rules).where(redaction_rules.c.project_id == project_id)
    found: str | None = connection.execute(query).scalar()
    return found


def find(connection: Connection, project_id: uuid.UUID) -> RulesRow | None:
    """Return the rules of a project, or None when nobody made any."""
    row = connection.execute(
        select(
            redaction_rules.c.version,
            redaction_rules.c.rules,
            redaction_rules.c.changed_at,
            users.c.email.label("changed_by"),
        )
        .outerjoin(users, users.c.id == redaction_rules.c.changed_by)
        .where(redaction_rules.c.project_id == project_id)
    ).first()
    return None if row is None else RulesRow(**row._mapping)


def replace(
    connection: Connection, project_id: uuid.UUID, rules: str, *, user_id: uuid.UUID, now: int
) -> str | None:
    """Store the rules of a project; return those that it had."""
    known = find(connection, project_id)
    values = {"rules": rules, "changed_at": now, "changed_by": user_id}
    if known is None:
        connection.execute(
            insert(redaction_rules).values(project_id=project_id, version=1, **values)
        )
        return None
    connection.execute(
        update(redaction_rules)
        .where(redaction_rules.c.project_id == project_id)
        .values(version=redaction_rules.c.version + 1, **values)
    )
    return known.rules
