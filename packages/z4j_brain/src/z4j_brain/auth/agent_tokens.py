"""Making and revoking agents and their tokens."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

import msgspec

from z4j_brain.audit.author import Target
from z4j_brain.audit.recording import moment, record
from z4j_brain.store import agent_tokens, agents, feeds
from z4j_brain.store.types import new_id
from z4j_core.credential import SECRET_BYTES, Credential

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.store.agent_tokens import TokenRow

MOST_TOKENS = 50


class NoSuchAgentError(Exception):
    """The project has no such agent or token."""


class AgentRevokedError(Exception):
    """The agent was revoked; it cannot have new tokens."""


class TooManyTokensError(Exception):
    """The agent has `MOST_TOKENS` tokens that are not revoked."""


class Minted(msgspec.Struct, frozen=True):
    """A new token; `text` is shown once and stored nowhere."""

    agent_id: uuid.UUID
    token_id: uuid.UUID
    text: str
    offset: int

    def __repr__(self) -> str:
        return f"Minted(agent_id={self.agent_id}, token_id={self.token_id})"


class Former(msgspec.Struct, frozen=True):
    """A token in whose place another one comes, and its end in microseconds."""

    token_id: uuid.UUID
    end: int

    def told(self) -> dict[str, str | None]:
        """Return it for the audit log, which needs no further row at its end."""
        return {"id": str(self.token_id), "works_until": moment(self.end)}


def mint_agent(
    connection: Connection, by: Author, project_id: uuid.UUID, name: str, now: int
) -> Minted:
    """Make an agent with its first token; raises `IntegrityError` when the name is taken."""
    agent_id = agents.create(connection, project_id, name, now)
    target = Target("agent", str(agent_id), name)
    record(connection, by, "agent.created", target, project_id=project_id, now=now)
    return _mint(connection, by, project_id, target, agent_id, now)


def mint_further(
    connection: Connection, by: Author, project_id: uuid.UUID, agent_id: uuid.UUID, now: int
) -> Minted:
    """Make one more token; raises `NoSuchAgentError`, `AgentRevokedError`, `TooManyTokensError`."""
    target, _ = _with_room(connection, project_id, agent_id, now)
    return _mint(connection, by, project_id, target, agent_id, now)


def rotate(
    connection: Connection,
    by: Author,
    project_id: uuid.UUID,
    agent_id: uuid.UUID,
    token_id: uuid.UUID,
    now: int,
    overlap_us: int,
) -> Minted:
    """Make a token in place of another one, which works for `overlap_us` more.

    Raises `NoSuchAgentError`, also for a token that works no more, `AgentRevokedError`,
    `TooManyTokensError`.
    """
    target, live = _with_room(connection, project_id, agent_id, now)
    former = next((token for token in live if token.id == token_id), None)
    if former is None:
        raise NoSuchAgentError
    end = now + overlap_us
    agent_tokens.end_at(connection, token_id, end)
    end = end if former.expires_at is None else min(end, former.expires_at)
    return _mint(connection, by, project_id, target, agent_id, now, Former(token_id, end))


def revoke_agent(
    connection: Connection, by: Author, project_id: uuid.UUID, agent_id: uuid.UUID, now: int
) -> int:
    """Revoke an agent and all its tokens; return the feed's offset."""
    found = agents.find(connection, project_id, agent_id)
    if found is None:
        raise NoSuchAgentError
    agents.revoke(connection, agent_id, now)
    target = Target("agent", str(agent_id), found[0])
    record(connection, by, "agent.revoked", target, project_id=project_id, now=now)
    return feeds.advance(connection, project_id)


def revoke_token(
    connection: Connection,
    by: Author,
    project_id: uuid.UUID,
    agent_id: uuid.UUID,
    token_id: uuid.UUID,
    now: int,
) -> int:
    """Revoke one token; return the feed's offset."""
    found = agents.find(connection, project_id, agent_id)
    if found is None or not agent_tokens.revoke(connection, agent_id, token_id, now):
        raise NoSuchAgentError
    record(
        connection,
        by,
        "agent.token_revoked",
        Target("agent", str(agent_id), found[0]),
        project_id=project_id,
        before={"id": str(token_id)},
        now=now,
    )
    return feeds.advance(connection, project_id)


def _with_room(
    connection: Connection, project_id: uuid.UUID, agent_id: uuid.UUID, now: int
) -> tuple[Target, list[TokenRow]]:
    """Return an agent that may have one more token, and those that are in force."""
    found = agents.find(connection, project_id, agent_id)
    if found is None:
        raise NoSuchAgentError
    if found[1]:
        raise AgentRevokedError
    tokens = agent_tokens.of_agents(connection, [agent_id]).get(agent_id, [])
    live = [token for token in tokens if not token.is_over(now)]
    if len(live) >= MOST_TOKENS:
        raise TooManyTokensError
    return Target("agent", str(agent_id), found[0]), live


def _mint(
    connection: Connection,
    by: Author,
    project_id: uuid.UUID,
    agent: Target,
    agent_id: uuid.UUID,
    now: int,
    former: Former | None = None,
) -> Minted:
    keys, token_id, secret = by.keys, new_id(), secrets.token_bytes(SECRET_BYTES)
    agent_tokens.create(
        connection,
        token_id=token_id,
        agent_id=agent_id,
        secret_hash=keys.token_hash(secret),
        now=now,
    )
    credential = Credential(
        agent_id,
        secret,
        keys.signing_key(project_id, agent_id, token_id),
        keys.seal_key(project_id),
    )
    record(
        connection,
        by,
        "agent.token_minted" if former is None else "agent.token_rotated",
        agent,
        project_id=project_id,
        before=None if former is None else former.told(),
        after={"id": str(token_id)},
        now=now,
    )
    offset = feeds.advance(connection, project_id)
    return Minted(agent_id, token_id, credential.token(), offset)
