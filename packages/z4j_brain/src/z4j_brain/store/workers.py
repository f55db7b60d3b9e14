"""Reads of workers: one row for each process incarnation."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select, tuple_

from z4j_brain.store.schema import agents, tasks, workers

COUNT_LIMIT = 10_000


class EngineName(msgspec.Struct, frozen=True):
    """An engine in a worker's process."""

    name: str
    version: str = ""


class WorkerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A worker and how it does. Times in microseconds since the epoch.

    `running` counts the tasks in the state ``running`` whose worker has this name; of several
    incarnations of a name it belongs to the latest.
    """

    id: uuid.UUID
    worker_id: str
    epoch: str
    agent_id: uuid.UUID
    agent_name: str
    host: str
    pid: int
    role: str
    framework: str | None
    engines: list[EngineName]
    plugin_errors: list[str]
    agent_version: str
    python_version: str
    online: bool
    first_seen: int
    last_seen: int
    ended_at: int | None
    last_event_at: int | None
    lag_us: int | None
    outbox_events: int
    dropped: int
    cpu_percent: float | None
    rss_bytes: int | None
    clock_offset_us: int | None
    processed: int
    running: int


Position = tuple[bool, int, uuid.UUID]
"""Where a page begins: `online`, `last_seen` and `id` of the worker before it."""

_ORDER = (workers.c.online, workers.c.last_seen, workers.c.id)


def page(
    connection: Connection, project_id: uuid.UUID, *, after: Position | None, limit: int
) -> list[WorkerRecord]:
    """Return at most `limit` workers: those online first, then by when they were last heard."""
    query = _select(project_id)
    if after is not None:
        query = query.where(tuple_(*_ORDER) < after)
    query = query.order_by(*(column.desc() for column in _ORDER)).limit(limit)
    return _records(connection, project_id, query)


def count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count workers, but not beyond `COUNT_LIMIT` + 1."""
    some = (
        select(workers.c.id).where(workers.c.project_id == project_id).limit(COUNT_LIMIT + 1)
    ).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def online_count(connection: Connection) -> int:
    """Count the workers that are online, in all projects."""
    query = select(func.count()).select_from(workers).where(workers.c.online)
    return connection.execute(query).scalar_one()


def find_many(
    connection: Connection, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> list[WorkerRecord]:
    """Return those of these workers that exist, in any order."""
    if not ids:
        return []
    return _records(connection, project_id, _select(project_id).where(workers.c.id.in_(ids)))


def find(
    connection: Connection, project_id: uuid.UUID, worker_row: uuid.UUID
) -> WorkerRecord | None:
    """Return one worker of a project."""
    found = find_many(connection, project_id, [worker_row])
    return found[0] if found else None


def agent_of(connection: Connection, worker_row: uuid.UUID) -> tuple[uuid.UUID, str] | None:
    """Return id and name of the agent with whose credential a worker is connected."""
    row = connection.execute(
        select(agents.c.id, agents.c.name)
        .join(workers, workers.c.agent_id == agents.c.id)
        .where(workers.c.id == worker_row)
    ).first()
    return None if row is None else (row.id, row.name)


def running_by_worker(connection: Connection, project_id: uuid.UUID) -> dict[str, int]:
    """Return how many tasks run now, by the worker's name."""
    rows = connection.execute(
        select(tasks.c.worker, func.count())
        .where(
            tasks.c.project_id == project_id,
            tasks.c.ended_at.is_(None),
            tasks.c.state == "running",
            tasks.c.worker.is_not(None),
        )
        .group_by(tasks.c.worker)
    )
    return {str(worker): number for worker, number in rows}


def lag_us(connection: Connection, project_id: uuid.UUID) -> int | None:
    """Return how old the oldest event is that an online worker has not delivered yet."""
    return connection.execute(
        select(func.max(workers.c.lag_us)).where(
            workers.c.project_id == project_id, workers.c.online
        )
    ).scalar()


def _select(project_id: uuid.UUID) -> Select[Any]:
    later = workers.alias("later")
    # Row comparison as in `_ORDER`: online goes before offline, then the last heard.
    is_superseded = (
        select(later.c.id)
        .where(
            later.c.agent_id == workers.c.agent_id,
            later.c.worker_id == workers.c.worker_id,
            tuple_(later.c.online, later.c.last_seen, later.c.id) > tuple_(*_ORDER),
        )
        .exists()
    )
    return (
        select(workers, agents.c.name.label("agent_name"), is_superseded.label("is_superseded"))
        .join(agents, agents.c.id == workers.c.agent_id)
        .where(workers.c.project_id == project_id)
    )


def _records(
    connection: Connection, project_id: uuid.UUID, query: Select[Any]
) -> list[WorkerRecord]:
    rows = connection.execute(query).all()
    running = running_by_worker(connection, project_id) if rows else {}
    return [_record(row, running) for row in rows]


def _record(row: Row[Any], running: dict[str, int]) -> WorkerRecord:
    values = {
        name: row._mapping[name] for name in WorkerRecord.__struct_fields__ if name != "running"
    }
    values["engines"] = msgspec.convert(row.engines, list[EngineName])
    number = 0 if row.is_superseded else running.get(row.worker_id, 0)
    return WorkerRecord(**values, running=number)
