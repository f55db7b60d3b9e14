"""Making and renaming projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from z4j_brain.audit.author import Target, user_target
from z4j_brain.audit.recording import record
from z4j_brain.store import projects, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.store.projects import ProjectAccess
    from z4j_brain.store.users import User

MOST_PROJECTS = 1_000
"""A page of one's session, and the list of all projects, hold every one."""


class SlugTakenError(Exception):
    """Another project has this slug, which is the text of the error."""


class TooManyProjectsError(Exception):
    """There are `MOST_PROJECTS` already."""


def create(
    connection: Connection, by: Author, owner: User, name: str, slug: str | None, now: int
) -> ProjectAccess:
    """Make a project whose first admin is `owner`; `SlugTakenError`, `TooManyProjectsError`.

    The slug is made from the name unless one is given.
    """
    wanted = slug or projects.slug_of(name)
    if projects.count(connection) >= MOST_PROJECTS:
        raise TooManyProjectsError
    if projects.find_slug(connection, wanted) is not None:
        raise SlugTakenError(wanted)
    try:
        made = projects.create(connection, name=name, slug=wanted, now=now)
    except IntegrityError:  # somebody else was quicker; the transaction ends with the error
        raise SlugTakenError(wanted) from None
    users.set_role(connection, made.id, owner.id, "admin")
    told = {"name": made.name}
    record(connection, by, "project.created", _target(made), project_id=made.id, after=told)
    role = {"role": "admin"}
    record(connection, by, "member.added", user_target(owner), project_id=made.id, after=role)
    return made


def rename(connection: Connection, by: Author, project: ProjectAccess, name: str) -> str:
    """Give a project another name and return it; slug, addresses and tokens stay as they are."""
    after = name.strip()
    former = projects.rename(connection, project.id, after)
    if after != former:
        record(
            connection,
            by,
            "project.renamed",
            _target(project),
            project_id=project.id,
            before={"name": former},
            after={"name": after},
        )
    return after


def _target(project: ProjectAccess) -> Target:
    return Target("project", str(project.id), project.slug)
