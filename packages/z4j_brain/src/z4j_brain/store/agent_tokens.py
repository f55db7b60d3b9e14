"""Tokens of agents: only a keyed hash of the bearer secret is stored."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, insert, or_, select, update

from z4j_brain.store.schema import agent_tokens as tokens
from z4j_brain.store.schema import agents, projects

_TOUCH_EVERY_US = 60_000_000


class AgentToken(msgspec.Struct, frozen=True):
    """What a bearer value stands for. `revoked_at` is set when token or agent is revoked.

    `expires_at` is the set end of a token that was rotated.
    """

    token_id: uuid.UUID
    agent_id: uuid.UUID
    project_id: uuid.UUID
    project_slug: str
    revoked_at: int | None
    expires_at: int | None = None

    def is_over(self, now: int) -> bool:
        """Tell whether the token opens nothing any more."""
        return self.revoked_at is not None or is_past(self.expires_at, now)


class TokenRow(msgspec.Struct, frozen=True):
    """A token as people see it."""

    id: uuid.UUID
    created_at: int
    last_used_at: int | None
    last_address: str | None
    revoked_at: int | None
    expires_at: int | None = None

    def is_over(self, now: int) -> bool:
        """Tell whether the token opens nothing any more."""
        return self.revoked_at is not None or is_past(self.expires_at, now)


def is_past(end: int | None, now: int) -> bool:
    """Tell whether there is an end and it has come."""
    return end is not None and end <= now


def find_token(
    connection: Connection, agent_id: uuid.UUID, secret_hash: bytes
) -> AgentToken | None:
    """Find the token that a link was opened with."""
    row = connection.execute(
        select(
            tokens.c.id,
            agents.c.project_id,
            projects.c.slug,
            tokens.c.revoked_at,
            tokens.c.expires_at,
            agents.c.revoked_at.label("agent_revoked_at"),
        )
        .join(agents, agents.c.id == tokens.c.agent_id)
        .join(projects, projects.c.id == agents.c.project_id)
        .where(tokens.c.secret_hash == secret_hash, tokens.c.agent_id == agent_id)
    ).first()
    if row is None:
        return None
    revoked_at = row.revoked_at if row.revoked_at is not None else row.agent_revoked_at
    return AgentToken(row.id, agent_id, row.project_id, row.slug, revoked_at, row.expires_at)


def working_hashes(connection: Connection) -> Iterator[bytes]:
    """Yield the hash of every token that is not revoked; a set end may have passed."""
    query = (
        select(tokens.c.secret_hash)
        .join(agents, agents.c.id == tokens.c.agent_id)
        .where(tokens.c.revoked_at.is_(None), agents.c.revoked_at.is_(None))
    )
    return map(bytes, connection.execute(query).scalars())


def touch_token(connection: Connection, token_id: uuid.UUID, now: int, address: str | None) -> None:
    """Note the use of a token; within a minute only a change of address is written."""
    row = connection.execute(
        select(tokens.c.last_used_at, tokens.c.last_address).where(tokens.c.id == token_id)
    ).first()
    if row is None:
        return
    is_fresh = row.last_used_at is not None and row.last_used_at > now - _TOUCH_EVERY_US
    if is_fresh and row.last_address == address:
        return
    connection.execute(
        update(tokens).where(tokens.c.id == token_id).values(last_used_at=now, last_address=address)
    )


def create(
    connection: Connection,
    *,
    token_id: uuid.UUID,
    agent_id: uuid.UUID,
    secret_hash: bytes,
    now: int,
) -> None:
    """Store a token."""
    connection.execute(
        insert(tokens).values(
            id=token_id, agent_id=agent_id, secret_hash=secret_hash, created_at=now
        )
    )


def revoke(connection: Connection, agent_id: uuid.UUID, token_id: uuid.UUID, now: int) -> bool:
    """Revoke a token of an agent; tell whether there is such a token."""
    changed = connection.execute(
        update(tokens)
        .where(
            tokens.c.id == token_id,
            tokens.c.agent_id == agent_id,
            tokens.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    if changed.rowcount:
        return True
    found = select(tokens.c.id).where(tokens.c.id == token_id, tokens.c.agent_id == agent_id)
    return connection.execute(found).first() is not None


def end_at(connection: Connection, token_id: uuid.UUID, at: int) -> None:
    """Set the end of a token; one that is set already only comes nearer."""
    connection.execute(
        update(tokens)
        .where(
            tokens.c.id == token_id,
            or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > at),
        )
        .values(expires_at=at)
    )


def revoke_all(connection: Connection, agent_id: uuid.UUID, now: int) -> None:
    """Revoke every token of an agent."""
    connection.execute(
        update(tokens)
        .where(tokens.c.agent_id == agent_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def owner(connection: Connection, token_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return agent and project of a token."""
    row = connection.execute(
        select(tokens.c.agent_id, agents.c.project_id)
        .join(agents, agents.c.id == tokens.c.agent_id)
        .where(tokens.c.id == token_id)
    ).first()
    return None if row is None else (row.agent_id, row.project_id)


def of_agents(
    connection: Connection, agent_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[TokenRow]]:
    """Return the tokens of each agent, the oldest first."""
    found: dict[uuid.UUID, list[TokenRow]] = {}
    rows = connection.execute(
        select(tokens).where(tokens.c.agent_id.in_(agent_ids)).order_by(tokens.c.id)
    )
    for row in rows:
        found.setdefault(row.agent_id, []).append(
            TokenRow(
                row.id,
                row.created_at,
                row.last_used_at,
                row.last_address,
                row.revoked_at,
                row.expires_at,
            )
        )
    return found
