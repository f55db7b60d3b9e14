"""Who belongs to a project."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.problems import Problem
from z4j_brain.api.route import route
from z4j_brain.auth import members
from z4j_brain.auth.members import LastAdminError, NoSuchMemberError
from z4j_brain.auth.policy import Role
from z4j_brain.store import members as rows
from z4j_brain.store.members import MemberRow


class MemberView(msgspec.Struct, frozen=True):
    """Somebody's role in a project. Who is disabled cannot sign in."""

    user_id: uuid.UUID
    email: str
    name: str
    role: Role
    disabled: bool


class MemberList(msgspec.Struct, frozen=True):
    """A page of members, by e-mail address."""

    items: list[MemberView]
    next: str | None
    count: int


class PageQuery(msgspec.Struct, frozen=True):
    """Which page."""

    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class RoleForm(msgspec.Struct, frozen=True):
    """A member's new role."""

    role: Role


@route("GET", "/projects/{project}/members", permission="member.read")
async def list_members(call: ProjectCall, query: PageQuery) -> MemberList:
    """List the members by e-mail address."""
    scope = f"members|{call.project.id}"
    after = decode_cursor(scope, query.cursor, str) if query.cursor else ""
    found, total = await call.brain.database.run(_page, call.project.id, after, query.limit + 1)
    shown = found[: query.limit]
    return MemberList(
        items=[_view(row) for row in shown],
        next=encode_cursor(scope, shown[-1].email) if len(found) > query.limit else None,
        count=total,
    )


@route("PUT", "/projects/{project}/members/{user_id}", permission="member.manage")
async def change_member_role(call: ProjectCall, user_id: uuid.UUID, body: RoleForm) -> MemberView:
    """Change a member's role."""
    try:
        before = await call.brain.database.run(
            members.change_role, call.author, call.project.id, user_id, body.role, write=True
        )
    except NoSuchMemberError:
        raise problems.not_found("member") from None
    except LastAdminError:
        raise _last_admin() from None
    return _view(msgspec.structs.replace(before, role=body.role))


@route("DELETE", "/projects/{project}/members/{user_id}", permission="member.manage")
async def remove_member(call: ProjectCall, user_id: uuid.UUID) -> None:
    """Take somebody out of the project."""
    try:
        await call.brain.database.run(
            members.remove, call.author, call.project.id, user_id, write=True
        )
    except NoSuchMemberError:
        raise problems.not_found("member") from None
    except LastAdminError:
        raise _last_admin() from None


def _last_admin() -> Problem:
    return problems.conflict("The project would have no admin left. Make somebody else one first.")


def _page(
    connection: Connection, project_id: uuid.UUID, after: str, limit: int
) -> tuple[list[MemberRow], int]:
    return rows.page(connection, project_id, after, limit), rows.count(connection, project_id)


def _view(row: MemberRow) -> MemberView:
    return MemberView(row.user_id, row.email, row.name, Role(row.role), row.is_disabled)
