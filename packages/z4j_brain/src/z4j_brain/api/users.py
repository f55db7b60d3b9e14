"""All accounts, for administrators of the instance."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import InstanceCall
from z4j_brain.api.cursor import decode_cursor, encode_cursor
from z4j_brain.api.members import PageQuery
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import members
from z4j_brain.auth.members import LastAdminError, NoSuchMemberError
from z4j_brain.store import users
from z4j_brain.store.users import UserRow

_SCOPE = "users"


class AccountView(msgspec.Struct, frozen=True):
    """An account, and what opens it. `seen_at` is null when it has no open session."""

    id: uuid.UUID
    email: str
    name: str
    is_admin: bool
    projects: int
    created_at: Timestamp
    seen_at: Timestamp | None
    disabled_at: Timestamp | None
    has_password: bool
    has_identity: bool


class AccountList(msgspec.Struct, frozen=True):
    """A page of accounts, by e-mail address."""

    items: list[AccountView]
    next: str | None
    count: int


class AccountForm(msgspec.Struct, frozen=True):
    """Whether the owner may sign in."""

    disabled: bool


@route("GET", "/instance/users", permission="user.manage")
async def list_users(call: InstanceCall, query: PageQuery) -> AccountList:
    """List all accounts by e-mail address."""
    after = decode_cursor(_SCOPE, query.cursor, str) if query.cursor else ""
    found, total = await call.brain.database.run(_page, after, query.limit + 1)
    shown = found[: query.limit]
    return AccountList(
        items=[_view(row) for row in shown],
        next=encode_cursor(_SCOPE, shown[-1].user.email) if len(found) > query.limit else None,
        count=total,
    )


@route("PUT", "/instance/users/{user_id}", permission="user.manage")
async def change_user(call: InstanceCall, user_id: uuid.UUID, body: AccountForm) -> AccountView:
    """Disable an account, which ends its sessions and its keys, or enable it again."""
    if body.disabled and user_id == call.user.id:
        raise problems.conflict("You cannot disable yourself. Ask another administrator.")

    def work(connection: Connection) -> UserRow | None:
        members.set_disabled(connection, call.author, user_id, now(), is_disabled=body.disabled)
        return users.read(connection, user_id)

    try:
        after = await call.brain.database.run(work, write=True)
    except NoSuchMemberError:
        raise problems.not_found("user") from None
    except LastAdminError:
        raise problems.conflict("The instance would have no administrator left.") from None
    if after is None:
        raise problems.not_found("user")
    return _view(after)


def _page(connection: Connection, after: str, limit: int) -> tuple[list[UserRow], int]:
    return users.page(connection, after, limit), users.count(connection)


def _view(row: UserRow) -> AccountView:
    return AccountView(
        id=row.user.id,
        email=row.user.email,
        name=row.user.name,
        is_admin=row.user.is_admin,
        projects=row.projects,
        created_at=rfc3339(row.created_at),
        seen_at=rfc3339(row.seen_at),
        disabled_at=rfc3339(row.disabled_at),
        has_password=row.has_password,
        has_identity=row.has_identity,
    )
