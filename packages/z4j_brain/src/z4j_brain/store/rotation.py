"""What depends on `Z4J_SECRET`, and when the audit log was last signed under another one."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, or_, select

from z4j_brain.store.audit import INSTANCE
from z4j_brain.store.schema import (
    agent_tokens,
    agents,
    api_keys,
    audit,
    invitations,
    projects,
    sessions,
    users,
)


class Dependent(msgspec.Struct, frozen=True):
    """A token of an agent, or an API key. `chain` is that of the audit log in which its making
    was told; `owner` is the agent's name, or the e-mail address of who made the key.
    """

    id: uuid.UUID
    chain: uuid.UUID
    project: str | None
    name: str
    owner: str
    created_at: int
    last_used_at: int | None


def valid_tokens(connection: Connection, now: int) -> list[Dependent]:
    """Return the tokens of agents that are neither revoked nor past their end (microseconds)."""
    query = (
        select(
            agent_tokens.c.id,
            projects.c.id.label("chain"),
            projects.c.slug.label("project"),
            agents.c.name,
            agents.c.name.label("owner"),
            agent_tokens.c.created_at,
            agent_tokens.c.last_used_at,
        )
        .join(agents, agents.c.id == agent_tokens.c.agent_id)
        .join(projects, projects.c.id == agents.c.project_id)
        .where(
            agent_tokens.c.revoked_at.is_(None),
            agents.c.revoked_at.is_(None),
            or_(agent_tokens.c.expires_at.is_(None), agent_tokens.c.expires_at > now),
        )
    )
    return _dependents(connection, query.order_by(projects.c.slug, agents.c.name))


def valid_keys(connection: Connection, now: int) -> list[Dependent]:
    """Return the API keys that are neither revoked nor past their end (microseconds)."""
    query = (
        select(
            api_keys.c.id,
            api_keys.c.project_id.label("chain"),
            projects.c.slug.label("project"),
            api_keys.c.name,
            users.c.email.label("owner"),
            api_keys.c.created_at,
            api_keys.c.last_used_at,
        )
        .join(users, users.c.id == api_keys.c.user_id)
        .outerjoin(projects, projects.c.id == api_keys.c.project_id)
        .where(
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )
    )
    return _dependents(connection, query.order_by(users.c.email, api_keys.c.name))


def open_sessions(connection: Connection, now: int) -> int:
    """Count the sessions that have not run out."""
    return _count(connection, select(func.count()).where(sessions.c.expires_at > now))


def open_invitations(connection: Connection, now: int) -> int:
    """Count the invitations that can still be accepted."""
    return _count(connection, select(func.count()).where(invitations.c.expires_at > now))


def last_signed_otherwise(
    connection: Connection, chain: uuid.UUID, key_ids: Collection[str]
) -> int | None:
    """Return when the last row of a chain was made that none of these keys has signed."""
    found: int | None = connection.execute(
        select(audit.c.at)
        .where(audit.c.chain == chain, audit.c.key_id.not_in(key_ids))
        .order_by(audit.c.number.desc())
        .limit(1)
    ).scalar()
    return found


def _dependents(connection: Connection, query: Select[Any]) -> list[Dependent]:
    rows = connection.execute(query)
    return [Dependent(**{**row._mapping, "chain": row.chain or INSTANCE}) for row in rows]


def _count(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())
