"""API keys: one's own, and those of a project. A key cannot make or revoke keys."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall, UserCall
from z4j_brain.api.route import SIGNED_IN, route
from z4j_brain.api.text import Name
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import api_keys
from z4j_brain.auth.api_keys import (
    NetworkError,
    NoSuchProjectError,
    ScopeError,
    TooManyKeysError,
    Wanted,
)
from z4j_brain.store import api_keys as rows
from z4j_brain.store.api_keys import ApiKey

MOST_SHOWN = 1_000


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its text. `project` null: all projects of its owner."""

    id: uuid.UUID
    name: str
    owner: str
    project: str | None
    scopes: list[str]
    networks: list[str]
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    last_address: str | None


class KeyList(msgspec.Struct, frozen=True):
    """Keys that are not revoked, the newest first; at most 1,000."""

    items: list[KeyView]


class KeyForm(msgspec.Struct, frozen=True):
    """A new key. Scopes are permissions; without networks (CIDR) it works from anywhere."""

    name: Name
    scopes: Annotated[
        list[Annotated[str, Meta(max_length=100)]], Meta(min_length=1, max_length=100)
    ]
    project: Annotated[str, Meta(max_length=128)] | None = None
    networks: Annotated[list[Annotated[str, Meta(max_length=50)]], Meta(max_length=20)] = []
    expires_days: Annotated[int, Meta(ge=1, le=3650)] | None = 90


class KeyMade(msgspec.Struct, frozen=True):
    """A new key; its text is shown here and never again."""

    id: uuid.UUID
    key: str


@route("GET", "/keys", permission=SIGNED_IN)
async def list_own_keys(call: UserCall) -> KeyList:
    """List one's own keys."""
    found = await call.brain.database.run(rows.of_user, call.user.id)
    return KeyList([_view(key) for key in found])


@route("POST", "/keys", permission=SIGNED_IN, status=201, max_body=16_384)
async def create_key(call: UserCall, body: KeyForm) -> KeyMade:
    """Make a key that may do at most what its owner may."""
    wanted = Wanted(
        name=body.name,
        project=body.project,
        scopes=body.scopes,
        networks=body.networks,
        days=body.expires_days,
    )
    try:
        made = await call.brain.database.run(
            api_keys.make, call.author, call.user, wanted, now(), write=True
        )
    except NoSuchProjectError:
        raise problems.invalid_input("/project", "There is no such project.") from None
    except ScopeError as error:
        raise problems.invalid_input("/scopes", f"You do not have: {error}.") from None
    except NetworkError as error:
        raise problems.invalid_input(
            "/networks", f"{error} is neither an address nor a network such as 192.0.2.0/24."
        ) from None
    except TooManyKeysError:
        raise problems.conflict("You have many keys. Revoke unused ones first.") from None
    return KeyMade(made.key_id, made.text())


@route("DELETE", "/keys/{key_id}", permission=SIGNED_IN)
async def revoke_own_key(call: UserCall, key_id: uuid.UUID) -> None:
    """Revoke one's own key."""
    database = call.brain.database
    if not await database.run(api_keys.revoke_own, call.author, call.user.id, key_id, write=True):
        raise problems.not_found("key")


@route("GET", "/projects/{project}/keys", permission="key.manage")
async def list_project_keys(call: ProjectCall) -> KeyList:
    """List the keys that are bound to this project, whoever made them."""
    found = await call.brain.database.run(_of_project, call.project.id)
    return KeyList([_view(key) for key in found])


@route("DELETE", "/projects/{project}/keys/{key_id}", permission="key.manage")
async def revoke_project_key(call: ProjectCall, key_id: uuid.UUID) -> None:
    """Revoke a key that is bound to this project."""
    if not await call.brain.database.run(
        api_keys.revoke_of_project, call.author, call.project.id, key_id, write=True
    ):
        raise problems.not_found("key")


def _of_project(connection: Connection, project_id: uuid.UUID) -> list[ApiKey]:
    return rows.of_project(connection, project_id, MOST_SHOWN)


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        owner=key.owner.email,
        project=key.project_slug,
        scopes=sorted(key.scopes),
        networks=list(key.networks),
        created_at=rfc3339(key.created_at),
        expires_at=rfc3339(key.expires_at),
        last_used_at=rfc3339(key.last_used_at),
        last_address=key.last_address,
    )
