"""Agents: named credentials of a project, with what their workers do now."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, exists, func, insert, select, update

from z4j_brain.store import agent_tokens
from z4j_brain.store.agent_tokens import TokenRow
from z4j_brain.store.schema import agents, events, tasks, workers
from z4j_brain.store.types import new_id

COUNT_CAP = 10_000
LOOKED_AT = 200
SKEW_US = 600_000_000
"""By how much a worker's clock may be behind ours, in microseconds."""


class AgentRow(msgspec.Struct, frozen=True):
    """An agent as people see it."""

    id: uuid.UUID
    name: str
    created_at: int
    revoked_at: int | None
    workers_online: int
    first_task: tuple[str, str] | None
    tokens: list[TokenRow]


def create(connection: Connection, project_id: uuid.UUID, name: str, now: int) -> uuid.UUID:
    """Create an agent; raises `IntegrityError` when the name is taken."""
    agent_id = new_id()
    connection.execute(
        insert(agents).values(id=agent_id, project_id=project_id, name=name, created_at=now)
    )
    return agent_id


def find(
    connection: Connection, project_id: uuid.UUID, agent_id: uuid.UUID
) -> tuple[str, bool] | None:
    """Return name and "is revoked" of an agent of this project."""
    row = connection.execute(
        select(agents.c.name, agents.c.revoked_at).where(
            agents.c.project_id == project_id, agents.c.id == agent_id
        )
    ).first()
    return None if row is None else (row.name, row.revoked_at is not None)


def find_by_name(
    connection: Connection, project_id: uuid.UUID, name: str
) -> tuple[uuid.UUID, bool] | None:
    """Return id and "is revoked" of an agent."""
    row = connection.execute(
        select(agents.c.id, agents.c.revoked_at).where(
            agents.c.project_id == project_id, agents.c.name == name
        )
    ).first()
    return None if row is None else (row.id, row.revoked_at is not None)


def revoke(connection: Connection, agent_id: uuid.UUID, now: int) -> None:
    """Revoke an agent and every token of it."""
    connection.execute(
        update(agents)
        .where(agents.c.id == agent_id, agents.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    agent_tokens.revoke_all(connection, agent_id, now)


def count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count the agents of a project, at most `COUNT_CAP` + 1."""
    found = select(agents.c.id).where(agents.c.project_id == project_id).limit(COUNT_CAP + 1)
    return connection.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def page(
    connection: Connection, project_id: uuid.UUID, after_name: str, limit: int
) -> list[AgentRow]:
    """Return the agents whose name comes after the given one, by name."""
    found = connection.execute(
        select(agents.c.id)
        .where(agents.c.project_id == project_id, agents.c.name > after_name)
        .order_by(agents.c.name)
        .limit(limit)
    ).scalars()
    return read(connection, project_id, list(found))


def read(connection: Connection, project_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[AgentRow]:
    """Return these agents of the project, by name."""
    rows = connection.execute(
        select(agents)
        .where(agents.c.project_id == project_id, agents.c.id.in_(ids))
        .order_by(agents.c.name)
    ).all()
    tokens = agent_tokens.of_agents(connection, ids)
    online = _workers_online(connection, ids)
    return [
        AgentRow(
            row.id,
            row.name,
            row.created_at,
            row.revoked_at,
            online.get(row.id, 0),
            _first_task(connection, project_id, row.id, row.created_at),
            tokens.get(row.id, []),
        )
        for row in rows
    ]


def _workers_online(connection: Connection, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = connection.execute(
        select(workers.c.agent_id, func.count().label("number"))
        .where(workers.c.agent_id.in_(ids), workers.c.online)
        .group_by(workers.c.agent_id)
    )
    return {row.agent_id: row.number for row in rows}


def _first_task(
    connection: Connection, project_id: uuid.UUID, agent_id: uuid.UUID, created_at: int
) -> tuple[str, str] | None:
    """Return the first task an agent told of, looked for among the first `LOOKED_AT` since then.

    It answers "does it work?" soon after a token was made; no index carries it further.
    """
    rows = select(workers.c.id).where(workers.c.agent_id == agent_id)
    since = created_at - SKEW_US
    young = (
        select(tasks.c.engine, tasks.c.task_id, tasks.c.first_at)
        .where(tasks.c.project_id == project_id, tasks.c.first_at >= since)
        .order_by(tasks.c.first_at)
        .limit(LOOKED_AT)
        .subquery()
    )
    told = exists().where(
        events.c.project_id == project_id,
        events.c.task_id == young.c.task_id,
        events.c.engine == young.c.engine,
        events.c.worker_row.in_(rows),
        events.c.received_at >= since,
    )
    row = connection.execute(
        select(young.c.engine, young.c.task_id).where(told).order_by(young.c.first_at).limit(1)
    ).first()
    return None if row is None else (row.engine, row.task_id)
