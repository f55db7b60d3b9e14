"""Agents and their tokens."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.route import route
from z4j_brain.api.text import Name
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import agent_tokens
from z4j_brain.auth.agent_tokens import (
    AgentRevokedError,
    Minted,
    NoSuchAgentError,
    TooManyTokensError,
)
from z4j_brain.live.changes import Changes
from z4j_brain.store import agents, feeds
from z4j_brain.store.agent_tokens import TokenRow
from z4j_brain.store.agents import AgentRow

REVOKED = "revoked"
HOUR_US = 3_600_000_000


class TokenView(msgspec.Struct, frozen=True):
    """A token, without its text. One that was rotated has a set end, `expires_at`."""

    id: uuid.UUID
    created_at: Timestamp
    last_used_at: Timestamp | None
    last_address: str | None
    revoked_at: Timestamp | None
    expires_at: Timestamp | None


class FirstTask(msgspec.Struct, frozen=True):
    """The first task that an agent told of."""

    engine: str
    task_id: str


class AgentView(msgspec.Struct, frozen=True):
    """A named credential and its use."""

    id: uuid.UUID
    name: str
    created_at: Timestamp
    last_used_at: Timestamp | None
    revoked_at: Timestamp | None
    workers_online: int
    first_task: FirstTask | None
    tokens: list[TokenView]


class AgentList(msgspec.Struct, frozen=True):
    """A page of agents, by name."""

    items: list[AgentView]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class AgentQuery(msgspec.Struct, frozen=True):
    """Which page."""

    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AgentForm(msgspec.Struct, frozen=True):
    """A new agent."""

    name: Name


class AgentMinted(msgspec.Struct, frozen=True):
    """A new agent; its token is shown here and never again."""

    agent: AgentView
    token: str


class TokenMinted(msgspec.Struct, frozen=True):
    """A further token; it is shown here and never again."""

    token: str
    token_id: uuid.UUID


class RotateForm(msgspec.Struct, frozen=True):
    """For how many hours more the old token works; 0 is not at all."""

    overlap_hours: Annotated[int, Meta(ge=0, le=720)] = 24


@route("GET", "/projects/{project}/agents", permission="agent.read")
async def list_agents(call: ProjectCall, query: AgentQuery) -> AgentList:
    """List agents by name."""
    scope = f"agents|{call.project.id}"
    after = decode_cursor(scope, query.cursor, str) if query.cursor else ""
    return await call.brain.database.run(_list, call.project.id, scope, after, query.limit)


@route("POST", "/projects/{project}/agents", permission="agent.manage", status=201)
async def create_agent(call: ProjectCall, body: AgentForm) -> AgentMinted:
    """Make an agent with a token."""

    def work(connection: Connection) -> tuple[Minted, AgentRow]:
        minted = agent_tokens.mint_agent(
            connection, call.author, call.project.id, body.name.strip(), now()
        )
        return minted, agents.read(connection, call.project.id, [minted.agent_id])[0]

    try:
        minted, row = await call.brain.database.run(work, write=True)
    except IntegrityError:
        raise problems.conflict(
            f"An agent named {body.name.strip()!r} exists; make a further token for it instead."
        ) from None
    _publish(call, minted.agent_id, minted.offset)
    return AgentMinted(_view(row), minted.text)


@route(
    "POST", "/projects/{project}/agents/{agent_id}/tokens", permission="agent.manage", status=201
)
async def mint_token(call: ProjectCall, agent_id: uuid.UUID) -> TokenMinted:
    """Make a further token of an agent."""

    def work(connection: Connection) -> Minted:
        return agent_tokens.mint_further(connection, call.author, call.project.id, agent_id, now())

    return await _minted(call, agent_id, work, "agent")


@route(
    "POST",
    "/projects/{project}/agents/{agent_id}/tokens/{token_id}/rotate",
    permission="agent.manage",
    status=201,
)
async def rotate_token(
    call: ProjectCall, agent_id: uuid.UUID, token_id: uuid.UUID, body: RotateForm
) -> TokenMinted:
    """Make a token in place of this one, which works for a while more."""

    def work(connection: Connection) -> Minted:
        return agent_tokens.rotate(
            connection,
            call.author,
            call.project.id,
            agent_id,
            token_id,
            now(),
            body.overlap_hours * HOUR_US,
        )

    minted = await _minted(call, agent_id, work, "token in force")
    if body.overlap_hours == 0:
        call.brain.registry.drop_token(token_id, REVOKED)
    return minted


@route("DELETE", "/projects/{project}/agents/{agent_id}", permission="agent.manage")
async def revoke_agent(call: ProjectCall, agent_id: uuid.UUID) -> None:
    """Revoke an agent, every token of it, and end its links."""
    try:
        offset = await call.brain.database.run(
            agent_tokens.revoke_agent, call.author, call.project.id, agent_id, now(), write=True
        )
    except NoSuchAgentError:
        raise problems.not_found("agent") from None
    call.brain.registry.drop_agent(agent_id, REVOKED)
    _publish(call, agent_id, offset)


@route(
    "DELETE",
    "/projects/{project}/agents/{agent_id}/tokens/{token_id}",
    permission="agent.manage",
)
async def revoke_token(call: ProjectCall, agent_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """Revoke one token and end the links that use it."""
    try:
        offset = await call.brain.database.run(
            agent_tokens.revoke_token,
            call.author,
            call.project.id,
            agent_id,
            token_id,
            now(),
            write=True,
        )
    except NoSuchAgentError:
        raise problems.not_found("token") from None
    call.brain.registry.drop_token(token_id, REVOKED)
    _publish(call, agent_id, offset)


async def _minted(
    call: ProjectCall, agent_id: uuid.UUID, work: Callable[[Connection], Minted], what: str
) -> TokenMinted:
    try:
        minted = await call.brain.database.run(work, write=True)
    except NoSuchAgentError:
        raise problems.not_found(what) from None
    except AgentRevokedError:
        raise problems.conflict("The agent was revoked. Make a new one.") from None
    except TooManyTokensError:
        raise problems.conflict("The agent has many tokens. Revoke unused ones first.") from None
    _publish(call, agent_id, minted.offset)
    return TokenMinted(minted.text, minted.token_id)


def _publish(call: ProjectCall, agent_id: uuid.UUID, offset: int) -> None:
    call.brain.hub.publish(call.project.id, offset, Changes(agents=[agent_id]))


def _list(
    connection: Connection, project_id: uuid.UUID, scope: str, after_name: str, limit: int
) -> AgentList:
    offset = feeds.position(connection, project_id)
    rows = agents.page(connection, project_id, after_name, limit + 1)
    total = agents.count(connection, project_id)
    return AgentList(
        items=[_view(row) for row in rows[:limit]],
        next=encode_cursor(scope, rows[limit - 1].name) if len(rows) > limit else None,
        count=min(total, agents.COUNT_CAP),
        count_capped=total > agents.COUNT_CAP,
        offset=offset,
    )


def _view(row: AgentRow) -> AgentView:
    used = [token.last_used_at for token in row.tokens if token.last_used_at is not None]
    return AgentView(
        id=row.id,
        name=row.name,
        created_at=rfc3339(row.created_at),
        last_used_at=rfc3339(max(used, default=None)),
        revoked_at=rfc3339(row.revoked_at),
        workers_online=row.workers_online,
        first_task=FirstTask(*row.first_task) if row.first_task else None,
        tokens=[_token_view(token) for token in row.tokens],
    )


def _token_view(row: TokenRow) -> TokenView:
    return TokenView(
        id=row.id,
        created_at=rfc3339(row.created_at),
        last_used_at=rfc3339(row.last_used_at),
        last_address=row.last_address,
        revoked_at=rfc3339(row.revoked_at),
        expires_at=rfc3339(row.expires_at),
    )
