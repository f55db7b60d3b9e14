"""Reads of schedules, and of the stores that they stand in."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_

from z4j_brain.store import tasks
from z4j_brain.store.schedule_election import StoreKey
from z4j_brain.store.schema import schedule_stores, schedules, workers
from z4j_brain.store.schema import tasks as task_table
from z4j_brain.store.tasks import TaskRecord

COUNT_LIMIT = 10_000
MAX_RUNS = 50
UNREAD_US = 180_000_000
"""A store that was not read for so long is not known as it is now."""


class ToldSchedule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A schedule as it is stored; the fields are columns. `schedule` is its id in the store."""

    schedule: str
    name: str
    timing: str
    owner: str
    task: str | None
    queue: str | None
    every_s: float | None
    timezone: str | None
    arguments: str
    enabled: bool
    last_run_at: int | None
    next_run_at: int | None
    runs: int | None
    undone_by: str | None
    absent: str
    form: str
    hidden: str


class ScheduleRecord(ToldSchedule, frozen=True, kw_only=True):
    """A schedule as last told. `arguments`, `absent`, `form` and `hidden` are JSON text; times and
    durations in microseconds. `read_at` is when its store was read last, by `engine`'s scheduler.
    """

    id: uuid.UUID
    scheduler: str
    store: str
    first_seen: int
    seen_at: int
    gone_at: int | None
    misses: int
    missed_at: int | None
    drift_us: int | None
    engine: str
    read_at: int | None

    @property
    def is_missed(self) -> bool:
        """Whether the run that is due now has been missed."""
        return (
            self.enabled
            and self.gone_at is None
            and self.missed_at is not None
            and self.missed_at == self.next_run_at
        )


class StoreRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A store of schedules. `reader` is the name of the worker elected now, if it is online."""

    scheduler: str
    store: str
    engine: str
    reader: str | None
    read_at: int | None
    total: int
    error: str | None
    known: int
    due: int

    def is_unread(self, now: int) -> bool:
        """Whether it is not known how the schedules are now."""
        if self.error is not None or self.reader is None:
            return True
        return self.read_at is None or self.read_at < now - UNREAD_US


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which schedules; None is any."""

    scheduler: str | None = None
    store: str | None = None
    owner: str | None = None
    enabled: bool | None = None
    missed: bool | None = None
    gone: bool = False


Position = tuple[str, uuid.UUID]
"""Where a page begins: `name` and `id` of the schedule before it."""

_IS_MISSED = and_(
    schedules.c.enabled,
    schedules.c.gone_at.is_(None),
    schedules.c.missed_at.is_not(None),
    schedules.c.missed_at == schedules.c.next_run_at,
)
_SAME_STORE = and_(
    *(schedule_stores.c[name] == schedules.c[name] for name in ("project_id", "scheduler", "store"))
)


def page(
    connection: Connection,
    project_id: uuid.UUID,
    chosen: Chosen,
    *,
    after: Position | None,
    limit: int,
) -> list[ScheduleRecord]:
    """Return schedules by name, at most `limit`."""
    query = _select().where(*_where(project_id, chosen))
    order = (schedules.c.name, schedules.c.id)
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return [
        ScheduleRecord(**row._mapping)
        for row in connection.execute(query.order_by(*order).limit(limit))
    ]


def count(connection: Connection, project_id: uuid.UUID, chosen: Chosen) -> int:
    """Count schedules, but not beyond `COUNT_LIMIT` + 1."""
    some = select(schedules.c.id).where(*_where(project_id, chosen)).limit(COUNT_LIMIT + 1)
    return len(connection.execute(some).all())


def find(connection: Connection, project_id: uuid.UUID, row: uuid.UUID) -> ScheduleRecord | None:
    """Return one schedule of a project, also one that is gone."""
    return _first(connection, schedules.c.project_id == project_id, schedules.c.id == row)


def find_in_store(
    connection: Connection, project_id: uuid.UUID, scheduler: str, store: str, schedule: str
) -> ScheduleRecord | None:
    """Return the schedule that has this id in its store."""
    return _first(
        connection,
        schedules.c.project_id == project_id,
        schedules.c.scheduler == scheduler,
        schedules.c.store == store,
        schedules.c.schedule == schedule,
    )


def stores(connection: Connection, project_id: uuid.UUID, now: int) -> list[StoreRecord]:
    """Return the stores of a project; `due` counts the schedules that were due before `now`."""
    in_store = (
        select(
            schedules.c.scheduler,
            schedules.c.store,
            func.count().label("known"),
            func.count().filter(schedules.c.enabled, schedules.c.next_run_at < now).label("due"),
        )
        .where(schedules.c.project_id == project_id, schedules.c.gone_at.is_(None))
        .group_by(schedules.c.scheduler, schedules.c.store)
        .subquery()
    )
    names = ("scheduler", "store", "engine", "read_at", "total", "error")
    rows = connection.execute(
        select(
            *(schedule_stores.c[name] for name in names),
            workers.c.worker_id.label("reader"),
            func.coalesce(in_store.c.known, 0).label("known"),
            func.coalesce(in_store.c.due, 0).label("due"),
        )
        .outerjoin(workers, (workers.c.id == schedule_stores.c.sampler) & workers.c.online)
        .outerjoin(
            in_store,
            and_(
                in_store.c.scheduler == schedule_stores.c.scheduler,
                in_store.c.store == schedule_stores.c.store,
            ),
        )
        .where(schedule_stores.c.project_id == project_id)
        .order_by(schedule_stores.c.scheduler, schedule_stores.c.store)
    )
    return [StoreRecord(**row._mapping) for row in rows]


def reader(connection: Connection, key: StoreKey) -> str | None:
    """Return the name of the online worker that is elected to read a store."""
    names = msgspec.structs.asdict(key).items()
    row = connection.execute(
        select(workers.c.worker_id)
        .join(schedule_stores, workers.c.id == schedule_stores.c.sampler)
        .where(workers.c.online, *(schedule_stores.c[name] == value for name, value in names))
    ).first()
    return None if row is None else str(row.worker_id)


def runs(
    connection: Connection, project_id: uuid.UUID, schedule: ScheduleRecord, limit: int = MAX_RUNS
) -> list[TaskRecord]:
    """Return the newest tasks of the name that it publishes, whoever published them."""
    if schedule.task is None:
        return []
    where = and_(
        task_table.c.project_id == project_id,
        task_table.c.name == schedule.task,
        task_table.c.engine == schedule.engine,
    )
    return tasks.page(connection, where, after=None, is_ascending=False, limit=limit)


def _first(connection: Connection, *where: ColumnElement[bool]) -> ScheduleRecord | None:
    row = connection.execute(_select().where(*where)).first()
    return None if row is None else ScheduleRecord(**row._mapping)


def _where(project_id: uuid.UUID, chosen: Chosen) -> list[ColumnElement[bool]]:
    where = [
        schedules.c.project_id == project_id,
        schedules.c.gone_at.is_not(None) if chosen.gone else schedules.c.gone_at.is_(None),
    ]
    for name in ("scheduler", "store", "owner", "enabled"):
        value = getattr(chosen, name)
        if value is not None:
            where.append(schedules.c[name] == value)
    if chosen.missed is not None:
        where.append(_IS_MISSED if chosen.missed else or_(*_not_missed()))
    return where


def _not_missed() -> list[ColumnElement[bool]]:
    return [
        ~schedules.c.enabled,
        schedules.c.missed_at.is_(None),
        schedules.c.missed_at.is_distinct_from(schedules.c.next_run_at),
    ]


def _select() -> Any:
    names = [name for name in ScheduleRecord.__struct_fields__ if name in schedules.c]
    return select(
        *(schedules.c[name] for name in names),
        schedule_stores.c.engine,
        schedule_stores.c.read_at,
    ).join(schedule_stores, _SAME_STORE)
