"""Gives and takes roles by groups, at each sign-in by the provider.

In a project that the table names, and of the administrators if it names any, the groups alone
decide for people who sign in by the provider: also what somebody gave by hand is taken back. The
last admin is no exception; whoever runs the server can make another one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from z4j_brain.audit.author import user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth.policy import Role
from z4j_brain.store import members, projects, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.auth.oidc.group_roles import GroupRoles
    from z4j_brain.store.users import User

logger = logging.getLogger("z4j.auth")
BY_GROUPS = {"by": "groups"}


class Grant(msgspec.Struct, frozen=True):
    """What the groups of one person give in the projects that there are."""

    is_administrator: bool | None
    roles: dict[uuid.UUID, Role | None]

    @property
    def lets_in(self) -> bool:
        """Whether they give anything at all."""
        return bool(self.is_administrator) or any(self.roles.values())


class Change(msgspec.Struct, frozen=True):
    """A role that became another one; None is "no member"."""

    project_id: uuid.UUID
    before: str | None
    after: str | None


class Changes(msgspec.Struct, frozen=True):
    """What a sign-in changed; tell the audit log of it when all else is done."""

    administrator: bool | None = None
    roles: tuple[Change, ...] = ()


def grant_of(connection: Connection, table: GroupRoles, groups: Collection[str]) -> Grant:
    """Look up the projects of the table."""
    roles: dict[uuid.UUID, Role | None] = {}
    for slug, role in table.roles(groups).items():
        project_id = projects.find_slug(connection, slug)
        if project_id is None:
            logger.warning("Z4J_OIDC_ROLES names the project %s, which does not exist", slug)
        else:
            roles[project_id] = role
    return Grant(table.is_administrator(groups), roles)


def apply(connection: Connection, grant: Grant, user: User) -> Changes:
    """Make it so; `user` is locked. Projects are locked in the order of their ids."""
    administrator = None
    if grant.is_administrator is not None and grant.is_administrator != user.is_admin:
        administrator = grant.is_administrator
        users.set_admin(connection, user.id, is_admin=administrator)
    changes = []
    for project_id in sorted(grant.roles):
        role = grant.roles[project_id]
        if _role(connection, project_id, user.id) == role:
            continue  # as nearly always; locks nothing
        members.lock(connection, project_id)
        before = _role(connection, project_id, user.id)
        _set(connection, project_id, user.id, before, role)
        changes.append(Change(project_id, before, role))
    return Changes(administrator, tuple(changes))


def tell_instance(connection: Connection, author: Author, user: User, changes: Changes) -> None:
    """Record what has changed of the instance."""
    if changes.administrator is None:
        return
    record(
        connection,
        author,
        "user.admin_changed",
        user_target(user),
        before={"is_admin": not changes.administrator},
        after={"is_admin": changes.administrator, **BY_GROUPS},
    )


def tell_project(connection: Connection, author: Author, user: User, change: Change) -> None:
    """Record one change; call it in the order of the projects' ids."""
    if change.before is None:
        action = "member.added"
    elif change.after is None:
        action = "member.removed"
    else:
        action = "member.role_changed"
    record(
        connection,
        author,
        action,
        user_target(user),
        project_id=change.project_id,
        before=None if change.before is None else {"role": change.before},
        after=BY_GROUPS if change.after is None else {"role": change.after, **BY_GROUPS},
    )


def _role(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID) -> str | None:
    found = members.find(connection, project_id, user_id)
    return None if found is None else found.role


def _set(
    connection: Connection,
    project_id: uuid.UUID,
    user_id: uuid.UUID,
    before: str | None,
    role: Role | None,
) -> None:
    if role is None:
        members.remove(connection, project_id, user_id)
    elif before is None:
        users.set_role(connection, project_id, user_id, role)
    else:
        members.change_role(connection, project_id, user_id, role)
