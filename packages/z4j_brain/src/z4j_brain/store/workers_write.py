"""Writes to `workers` that follow the life of links.

`replica` names who holds a worker's link: the process and the link within it. A link's end changes
a row only while it still names that link, so a late end never hides a newer link.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store import feeds
from z4j_brain.store.schema import agent_tokens, agents, workers
from z4j_brain.store.types import new_id

_KEY = ("agent_id", "worker_id", "epoch")


class WorkerLink(msgspec.Struct, frozen=True, kw_only=True):
    """A worker whose link has just been proven; the fields are columns of `workers`."""

    project_id: uuid.UUID
    agent_id: uuid.UUID
    worker_id: str
    epoch: str
    host: str
    pid: int
    role: str
    framework: str | None
    agent_version: str
    python_version: str
    engines: list[dict[str, Any]]
    plugin_errors: list[str]
    schedulers: list[dict[str, Any]] = []
    clock_offset_us: int | None
    replica: str


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a linked worker now. Times in microseconds; None leaves a column alone."""

    worker_row: uuid.UUID
    project_id: uuid.UUID
    replica: str
    last_seen: int
    lag_us: int | None = None
    outbox_events: int | None = None
    dropped: int | None = None
    processed: int | None = None
    cpu_percent: float | None = None
    rss_bytes: int | None = None
    clock_offset_us: int | None = None


_OPTIONAL = (
    "lag_us",
    "outbox_events",
    "dropped",
    "processed",
    "cpu_percent",
    "rss_bytes",
    "clock_offset_us",
)


def committed_position(
    connection: Connection, agent_id: uuid.UUID, worker_id: str, epoch: str
) -> int:
    """Return the number of the last committed frame of an incarnation; 0 for a new one."""
    return (
        connection.execute(
            select(workers.c.last_frame).where(
                workers.c.agent_id == agent_id,
                workers.c.worker_id == worker_id,
                workers.c.epoch == epoch,
            )
        ).scalar()
        or 0
    )


def link_opened(connection: Connection, worker: WorkerLink, now: int) -> tuple[uuid.UUID, int]:
    """Record a proven link; return the worker's row and the feed's offset."""
    columns = msgspec.structs.asdict(worker)
    fresh = {"id": new_id(), "first_seen": now, "last_frame": 0}
    seen = {"online": True, "last_seen": now, "ended_at": None}
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = kind.insert(workers).values(**columns, **fresh, **seen)
    changed = {name: value for name, value in (columns | seen).items() if name not in _KEY}
    row: uuid.UUID = connection.execute(
        statement.on_conflict_do_update(index_elements=_KEY, set_=changed).returning(workers.c.id)
    ).scalar_one()
    return row, feeds.advance(connection, worker.project_id)


def link_adopted(connection: Connection, worker: WorkerLink, now: int) -> tuple[uuid.UUID, int]:
    """Record a worker of whose frames another process sends the rest; it does not go online.

    A row that is there is left as it is. Return the worker's row and the feed's offset.
    """
    columns = msgspec.structs.asdict(worker) | {"replica": None}
    fresh = {"id": new_id(), "first_seen": now, "last_seen": now, "ended_at": now, "last_frame": 0}
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = kind.insert(workers).values(**columns, **fresh, online=False)
    # DO NOTHING would return no row.
    same = {"agent_id": statement.excluded.agent_id}
    row: uuid.UUID = connection.execute(
        statement.on_conflict_do_update(index_elements=_KEY, set_=same).returning(workers.c.id)
    ).scalar_one()
    return row, feeds.advance(connection, worker.project_id)


def link_closed(
    connection: Connection, worker_row: uuid.UUID, replica: str, now: int
) -> int | None:
    """Mark a worker offline if this link is still its own; return the feed's offset then."""
    project_id = connection.execute(
        update(workers)
        .where(workers.c.id == worker_row, workers.c.replica == replica, workers.c.online)
        .values(online=False, ended_at=now, last_seen=now, replica=None)
        .returning(workers.c.project_id)
    ).scalar()
    return None if project_id is None else feeds.advance(connection, project_id)


def record_pulses(connection: Connection, pulses: list[Pulse]) -> dict[uuid.UUID, int]:
    """Write what linked workers told since; return the feed's offset of each project."""
    statement = update(workers).where(
        and_(workers.c.id == bindparam("row"), workers.c.replica == bindparam("link"))
    )
    for pulse in sorted(pulses, key=lambda one: one.worker_row):
        told = {name: getattr(pulse, name) for name in _OPTIONAL}
        values = {name: value for name, value in told.items() if value is not None}
        connection.execute(
            # A sweep may have taken the worker for lost while the database was away.
            statement.values(last_seen=pulse.last_seen, online=True, ended_at=None, **values),
            {"row": pulse.worker_row, "link": pulse.replica},
        )
    return _advance_all(connection, {pulse.project_id for pulse in pulses})


def sweep_lost(
    connection: Connection, silent_since: int
) -> dict[uuid.UUID, tuple[int, list[uuid.UUID]]]:
    """Mark offline every worker that was last seen before this time, as after a server's death.

    Return for each project the feed's offset and the workers' rows.
    """
    found = connection.execute(
        update(workers)
        .where(workers.c.online, workers.c.last_seen < silent_since)
        .values(online=False, ended_at=workers.c.last_seen)
        .returning(workers.c.project_id, workers.c.id)
    ).all()
    rows: dict[uuid.UUID, list[uuid.UUID]] = {}
    for project_id, row in found:
        rows.setdefault(project_id, []).append(row)
    offsets = _advance_all(connection, set(rows))
    return {project_id: (offsets[project_id], rows[project_id]) for project_id in rows}


def revoked_tokens(connection: Connection, tokens: list[uuid.UUID], now: int) -> set[uuid.UUID]:
    """Return which of these tokens are revoked, past their end, or gone."""
    valid = connection.execute(
        select(agent_tokens.c.id)
        .join(agents, agents.c.id == agent_tokens.c.agent_id)
        .where(
            agent_tokens.c.id.in_(tokens),
            agent_tokens.c.revoked_at.is_(None),
            or_(agent_tokens.c.expires_at.is_(None), agent_tokens.c.expires_at > now),
            agents.c.revoked_at.is_(None),
        )
    ).scalars()
    return set(tokens) - set(valid)


def _advance_all(connection: Connection, projects: set[uuid.UUID]) -> dict[uuid.UUID, int]:
    return {project_id: feeds.advance(connection, project_id) for project_id in sorted(projects)}
