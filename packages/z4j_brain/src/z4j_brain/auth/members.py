"""Changing who belongs to a project, and disabling accounts; somebody always remains in charge."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from z4j_brain.audit.author import Target, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth.policy import Role
from z4j_brain.store import members, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.store.members import MemberRow
    from z4j_brain.store.users import UserRow


class NoSuchMemberError(Exception):
    """The project has no such member, or the instance no such account."""


class LastAdminError(Exception):
    """Nobody would be left who may manage the project, or the instance."""


def change_role(
    connection: Connection, by: Author, project_id: uuid.UUID, user_id: uuid.UUID, role: Role
) -> MemberRow:
    """Change a role and return the member as before; `NoSuchMemberError`, `LastAdminError`."""
    before = _locked(connection, project_id, user_id)
    if role == before.role:
        return before
    if role is not Role.ADMIN:
        _refuse_last(connection, project_id, user_id)
    members.change_role(connection, project_id, user_id, role)
    record(
        connection,
        by,
        "member.role_changed",
        _target(before),
        project_id=project_id,
        before={"role": before.role},
        after={"role": role.value},
    )
    return before


def remove(
    connection: Connection, by: Author, project_id: uuid.UUID, user_id: uuid.UUID
) -> MemberRow:
    """Take somebody out and return what they were; `NoSuchMemberError`, `LastAdminError`.

    Their API keys and invitations stop working in this project by themselves: both count only as
    far as their maker reaches at the time of use.
    """
    before = _locked(connection, project_id, user_id)
    _refuse_last(connection, project_id, user_id)
    members.remove(connection, project_id, user_id)
    role = {"role": before.role}
    record(connection, by, "member.removed", _target(before), project_id=project_id, before=role)
    return before


def set_disabled(
    connection: Connection, by: Author, user_id: uuid.UUID, now: int, *, is_disabled: bool
) -> UserRow:
    """Disable or enable an account and return it as before.

    Raises `NoSuchMemberError`, and `LastAdminError` for the last administrator of the instance.
    """
    in_charge = users.lock_admins(connection)
    before = users.read(connection, user_id)
    if before is None:
        raise NoSuchMemberError
    if is_disabled and in_charge == {user_id}:
        raise LastAdminError
    if is_disabled != (before.disabled_at is not None):
        users.set_disabled(connection, user_id, now if is_disabled else None)
        action = "user.disabled" if is_disabled else "user.enabled"
        record(connection, by, action, user_target(before.user), now=now)
    return before


def _locked(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID) -> MemberRow:
    members.lock(connection, project_id)
    found = members.find(connection, project_id, user_id)
    if found is None:
        raise NoSuchMemberError
    return found


def _target(member: MemberRow) -> Target:
    return Target("user", str(member.user_id), member.email)


def _refuse_last(connection: Connection, project_id: uuid.UUID, user_id: uuid.UUID) -> None:
    if members.admins(connection, project_id) == {user_id}:
        raise LastAdminError
