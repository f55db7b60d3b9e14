"""Reads of the task list and of single tasks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, literal, select, tuple_

from z4j_brain.store.clocks import odd_clocks
from z4j_brain.store.schema import tasks
from z4j_brain.store.task_filter import Where

COUNT_LIMIT = 5_000
"""Twice as many took SQLite 60 ms for a field without an index."""
MAX_RETRIED_AS = 100


class TaskRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A task as lists show it. Times in microseconds since the epoch, None where unknown.

    `has_odd_clock`: the clock of the worker that it ran on is known to be wrong.
    """

    engine: str
    task_id: str
    name: str | None
    queue: str | None
    state: str
    attempt: int
    worker: str | None
    first_at: int
    published_at: int | None
    queued_at: int | None
    received_at: int | None
    started_at: int | None
    ended_at: int | None
    eta: int | None
    run_us: int | None
    exception_type: str | None
    exception_message: str | None
    issue: str | None
    retried_from: str | None
    last_at: int
    unknown_at: int | None
    unknown_reason: str | None
    has_odd_clock: bool = False

    @property
    def wait_us(self) -> int | None:
        """How long the latest attempt waited to start, beyond its eta; never below 0."""
        return waited(self.queued_at, self.eta, self.started_at)

    @property
    def wait_is_doubtful(self) -> bool:
        """Whether the clocks of publisher and worker make no sense of the wait together."""
        return starts_too_early(self.queued_at, self.eta, self.started_at) or (
            self.has_odd_clock and self.wait_us is not None
        )

    @property
    def duration_us(self) -> int | None:
        """How long the latest attempt ran: as the engine measured it, else by the clock."""
        return ran(self.run_us, self.started_at, self.ended_at)


class FullTaskRecord(TaskRecord, frozen=True, gc=False, kw_only=True):
    """A task with everything its row holds; `args`, `kwargs` and `result` are JSON text."""

    args: str | None
    kwargs: str | None
    exact: bool | None
    result: str | None
    parent_id: str | None
    root_id: str | None
    group_id: str | None
    priority: int | None


Position = tuple[int, str, str]
"""Where a page begins: `first_at`, `task_id` and `engine` of the task before it."""

_ORDER = (tasks.c.first_at, tasks.c.task_id, tasks.c.engine)
_LIST_COLUMNS = [
    tasks.c.project_id,
    *(tasks.c[name] for name in TaskRecord.__struct_fields__ if name in tasks.c),
]
_ALL_COLUMNS = [tasks.c[name] for name in FullTaskRecord.__struct_fields__ if name in tasks.c]


def starts_too_early(queued_at: int | None, eta: int | None, started_at: int | None) -> bool:
    """Tell whether a run began, by its worker's clock, before it was due by its publisher's."""
    known = [time for time in (queued_at, eta) if time is not None]
    return started_at is not None and bool(known) and started_at < max(known)


def waited(queued_at: int | None, eta: int | None, started_at: int | None) -> int | None:
    """Return microseconds between the moment a run was due and its start; never below 0."""
    known = [time for time in (queued_at, eta) if time is not None]
    if started_at is None or not known:
        return None
    return max(started_at - max(known), 0)


def ran(run_us: int | None, started_at: int | None, ended_at: int | None) -> int | None:
    """Return microseconds of a run; never below 0."""
    if run_us is not None:
        return max(run_us, 0)
    if started_at is None or ended_at is None:
        return None
    return max(ended_at - started_at, 0)


def page(
    connection: Connection,
    where: Where,
    *,
    after: Position | None,
    is_ascending: bool,
    limit: int,
) -> list[TaskRecord]:
    """Return at most `limit` tasks by `first_at`, `task_id` and `engine`, newest first unless
    `is_ascending`.
    """
    query = select(*_LIST_COLUMNS).where(where)
    if after is not None:
        # The bound on `first_at` repeats what the comparison of rows says, for the index.
        if is_ascending:
            query = query.where(tasks.c.first_at >= after[0], tuple_(*_ORDER) > after)
        else:
            query = query.where(tasks.c.first_at <= after[0], tuple_(*_ORDER) < after)
    order = [column if is_ascending else column.desc() for column in _ORDER]
    return _records(connection, connection.execute(query.order_by(*order).limit(limit)).all())


def count(connection: Connection, where: Where) -> int:
    """Count tasks, but not beyond `COUNT_LIMIT` + 1."""
    # No column of the row: what an index says by itself needs no look at the table.
    some = select(literal(1)).select_from(tasks).where(where).limit(COUNT_LIMIT + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def find(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str
) -> FullTaskRecord | None:
    """Return one task of a project."""
    row = connection.execute(
        select(*_ALL_COLUMNS).where(
            tasks.c.project_id == project_id,
            tasks.c.task_id == task_id,
            tasks.c.engine == engine,
        )
    ).first()
    return None if row is None else FullTaskRecord(**row._mapping)


def find_many(
    connection: Connection, project_id: uuid.UUID, keys: Collection[tuple[str, str]]
) -> list[TaskRecord]:
    """Return those of these tasks (engine and task id) that exist, in any order."""
    if not keys:
        return []
    wanted = set(keys)
    rows = connection.execute(
        select(*_LIST_COLUMNS).where(
            tasks.c.project_id == project_id, tasks.c.task_id.in_({key[1] for key in wanted})
        )
    ).all()
    return [task for task in _records(connection, rows) if (task.engine, task.task_id) in wanted]


def retried_as(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str
) -> list[str]:
    """Return the ids of the tasks that were made by retrying this one, oldest first."""
    rows = connection.execute(
        select(tasks.c.task_id)
        .where(
            tasks.c.project_id == project_id,
            tasks.c.retried_from == task_id,
            tasks.c.engine == engine,
        )
        .order_by(*_ORDER)
        .limit(MAX_RETRIED_AS)
    )
    return list(rows.scalars())


def running_on(
    connection: Connection, project_id: uuid.UUID, worker: str, limit: int
) -> list[TaskRecord]:
    """Return the tasks that a worker of this name runs now, oldest start first."""
    rows = connection.execute(
        select(*_LIST_COLUMNS)
        .where(
            tasks.c.project_id == project_id,
            tasks.c.ended_at.is_(None),
            tasks.c.state == "running",
            tasks.c.worker == worker,
        )
        .order_by(tasks.c.started_at)
        .limit(limit)
    )
    return _records(connection, rows.all())


def _records(connection: Connection, rows: Sequence[Row[Any]]) -> list[TaskRecord]:
    """Make records of rows of one project."""
    if not rows:
        return []
    ran_on = {row.worker for row in rows if row.worker is not None and row.started_at is not None}
    odd = odd_clocks(connection, rows[0].project_id, ran_on)
    return [
        TaskRecord(
            **{name: value for name, value in row._mapping.items() if name != "project_id"},
            has_odd_clock=row.worker in odd,
        )
        for row in rows
    ]
