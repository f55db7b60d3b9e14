"""Walks the tasks that have not ended, oldest first, in pages of bounded cost."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, func, or_, select

from z4j_brain.store.schema import task_probes, tasks, workers

PAGE = 5_000
"""Open tasks that are looked at in one transaction."""
MAX_QUEUED = 200
"""Of a page, how many tasks that may merely wait are returned."""
HELD_STATES = ("received", "running", "retrying", "unknown")


class OpenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task without an end, with what was asked about it. Times in microseconds."""

    engine: str
    task_id: str
    name: str | None
    queue: str | None
    state: str
    attempt: int
    worker: str | None
    first_at: int
    last_at: int
    eta: int | None
    life_at: int | None = None
    tries: int | None = None

    @property
    def asked(self) -> int:
        """How often it has been asked about since its last fact."""
        return self.tries or 0 if self.life_at == self.last_at else 0


class Page(msgspec.Struct, frozen=True):
    """Tasks to look at more closely; `next` is where the following page begins, None at the end."""

    tasks: list[OpenTask]
    next: int | None


class Presence(msgspec.Struct, frozen=True):
    """Whether a worker of a name is online in some incarnation, and when one was last seen."""

    online: bool
    last_seen: int


def page(
    connection: Connection, project_id: uuid.UUID, after: int, now: int, waiting_since: int
) -> Page:
    """Return those of the next open tasks that are due for a look.

    `after` is the `next` of the page before, 0 at first. Tasks that are asked about now, or were
    not long ago, are left out, and so are those that waited to start since less than
    `waiting_since` (a moment), or whose time has not come.
    """
    walk = _walk(project_id, after)
    last = connection.execute(
        select(tasks.c.first_at).where(walk).order_by(*_ORDER).offset(PAGE - 1).limit(1)
    ).scalar()
    bounds = walk if last is None else and_(walk, tasks.c.first_at <= last)
    held = _due(bounds, now).where(tasks.c.state.in_(HELD_STATES))
    queued = (
        _due(bounds, now)
        .where(tasks.c.state == "queued", tasks.c.last_at < waiting_since)
        .where(or_(tasks.c.eta.is_(None), tasks.c.eta < waiting_since))
        .limit(MAX_QUEUED)
    )
    found = [*_read(connection, held), *_read(connection, queued)]
    return Page(found, last)


def find(
    connection: Connection, project_id: uuid.UUID, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], OpenTask]:
    """Return those of these tasks (engine, task id) that have not ended."""
    query = _select().where(
        tasks.c.project_id == project_id,
        tasks.c.task_id.in_([task_id for _, task_id in keys]),
        tasks.c.ended_at.is_(None),
    )
    return {(task.engine, task.task_id): task for task in _read(connection, query)}


def presence(connection: Connection, project_id: uuid.UUID) -> dict[str, Presence]:
    """Return the workers of a project by their names, all incarnations together."""
    online = func.sum(workers.c.online.cast(Integer))
    rows = connection.execute(
        select(workers.c.worker_id, online, func.max(workers.c.last_seen))
        .where(workers.c.project_id == project_id)
        .group_by(workers.c.worker_id)
    )
    return {name: Presence(bool(number), last_seen) for name, number, last_seen in rows}


# As the index has it, with `ended_at` null in all of them.
_ORDER = (tasks.c.ended_at, tasks.c.first_at)


def _walk(project_id: uuid.UUID, after: int) -> ColumnElement[bool]:
    return and_(
        tasks.c.project_id == project_id, tasks.c.ended_at.is_(None), tasks.c.first_at > after
    )


def _select() -> Select[Any]:
    names = [name for name in OpenTask.__struct_fields__ if name not in ("life_at", "tries")]
    return select(
        *(tasks.c[name] for name in names), task_probes.c.life_at, task_probes.c.tries
    ).outerjoin(
        task_probes,
        and_(
            task_probes.c.project_id == tasks.c.project_id,
            task_probes.c.task_id == tasks.c.task_id,
            task_probes.c.engine == tasks.c.engine,
        ),
    )


def _due(bounds: ColumnElement[bool], now: int) -> Select[Any]:
    is_due = or_(
        task_probes.c.task_id.is_(None),
        and_(
            task_probes.c.command_id.is_(None),
            or_(task_probes.c.next_at <= now, task_probes.c.life_at < tasks.c.last_at),
        ),
    )
    return _select().where(bounds, is_due)


def _read(connection: Connection, query: Select[Any]) -> list[OpenTask]:
    return [OpenTask(**row._mapping) for row in connection.execute(query)]
