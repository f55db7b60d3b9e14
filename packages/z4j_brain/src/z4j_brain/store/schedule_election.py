"""Which worker reads which store of schedules."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.election import Assignment, Election
from z4j_brain.store.schema import schedule_stores, worker_stores

MAX_STORES = 50
"""Of one project; whoever tells of more is not listened to."""


class StoreKey(msgspec.Struct, frozen=True, gc=False):
    """One scheduler's store, in a project."""

    project_id: uuid.UUID
    scheduler: str
    store: str


StoreAssignment = Assignment[StoreKey]
ELECTION = Election(
    schedule_stores,
    worker_stores,
    StoreKey,
    ("project_id", "scheduler", "store"),
    roles=("scheduler", "worker"),  # the scheduler itself may know runs that it has not written yet
)


class ToldStore(msgspec.Struct, frozen=True):
    """A store as a worker's hello tells of it."""

    key: StoreKey
    engine: str
    lag_s: float = 0.0


def replace(
    connection: Connection, worker_row: uuid.UUID, told: Iterable[ToldStore], now: int
) -> int:
    """Record which stores a worker can read, instead of what it told before.

    Return how many were left out because the project has `MAX_STORES` already.
    """
    connection.execute(delete(worker_stores).where(worker_stores.c.worker_row == worker_row))
    left_out = 0
    for one in sorted(told, key=lambda one: (one.key.scheduler, one.key.store)):
        if not _ensure(connection, one, now):
            left_out += 1
            continue
        columns = msgspec.structs.asdict(one.key)
        connection.execute(
            insert(worker_stores).values(worker_row=worker_row, told_at=now, **columns)
        )
    return left_out


def _ensure(connection: Connection, told: ToldStore, now: int) -> bool:
    """Make the store's row, or say that it was seen; False when there is no room."""
    key = msgspec.structs.asdict(told.key)
    is_it = [schedule_stores.c[name] == value for name, value in key.items()]
    values = {"engine": told.engine, "lag_s": told.lag_s, "seen_at": now}
    if connection.execute(update(schedule_stores).where(*is_it).values(values)).rowcount:
        return True
    there = connection.execute(
        select(func.count())
        .select_from(schedule_stores)
        .where(schedule_stores.c.project_id == told.key.project_id)
    ).scalar_one()
    if there >= MAX_STORES:
        return False
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    # Another replica may have been told of it at the same time.
    connection.execute(
        kind.insert(schedule_stores).values(**key, **values, total=0).on_conflict_do_nothing()
    )
    return True
