"""Bulk runs: one row for each action on all tasks that a filter met."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, tuple_, update

from z4j_brain.store.schema import bulk_runs, users

State = Literal[
    "preparing", "canary", "waiting", "running", "paused", "aborting", "aborted", "done"
]
OPEN_STATES = ("preparing", "canary", "waiting", "running", "paused", "aborting")
COUNT_LIMIT = 1_000
Position = tuple[int, uuid.UUID]
"""Where a page begins: `created_at` and `id` of the run before it."""


class BulkRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it is stored. Times in microseconds since the epoch, `rate` in tasks a second.

    `params` is JSON text. `states` are those that the action is for, None for any; `matching` is
    how many tasks were in one of them when the run was made. `taken` of the `total` members have
    had their turn.
    """

    id: uuid.UUID
    project_id: uuid.UUID
    idempotency_key: str | None
    engine: str
    action: str
    params: str
    filter: str
    states: list[str] | None
    rate: float
    canary_percent: float
    canary_max_failed_percent: float
    canary_then: str
    canary_patience_s: int
    skip_retried: bool
    matching: int
    created_at: int
    created_by: uuid.UUID
    key_id: uuid.UUID | None
    state: str = "preparing"
    note: str | None = None
    walked_at: int | None = None
    walked_task: str | None = None
    total: int = 0
    canary_size: int = 0
    canary_passed: bool = False
    taken: int = 0
    succeeded: int = 0
    failed: int = 0
    expired: int = 0
    skipped: int = 0
    refused: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    email: str | None = None

    @property
    def ended(self) -> int:
        """How many members have their end."""
        return self.succeeded + self.failed + self.expired + self.skipped + self.refused

    @property
    def outstanding(self) -> int:
        """How many members were sent and wait for their result."""
        return self.taken - self.ended

    @property
    def may_send(self) -> int:
        """How many members may have their turn, as far as the canary lets them."""
        if self.state == "canary":
            return max(min(self.canary_size, self.total) - self.taken, 0)
        return self.total - self.taken if self.state == "running" else 0


def add(connection: Connection, run: BulkRun) -> None:
    """Insert a run. Raises `IntegrityError` when its idempotency key is taken."""
    values = {column.name: getattr(run, column.name) for column in bulk_runs.c}
    connection.execute(insert(bulk_runs), values)


def find(connection: Connection, project_id: uuid.UUID, run_id: uuid.UUID) -> BulkRun | None:
    """Return one run of a project."""
    query = _select().where(bulk_runs.c.project_id == project_id, bulk_runs.c.id == run_id)
    row = connection.execute(query).first()
    return None if row is None else _run(row)


def find_by_key(connection: Connection, project_id: uuid.UUID, key: str) -> BulkRun | None:
    """Return the run that was asked for with this idempotency key."""
    row = connection.execute(
        _select().where(bulk_runs.c.project_id == project_id, bulk_runs.c.idempotency_key == key)
    ).first()
    return None if row is None else _run(row)


def lock(connection: Connection, run_id: uuid.UUID) -> BulkRun | None:
    """Return a run that nobody else changes before this transaction ends."""
    query = select(bulk_runs).where(bulk_runs.c.id == run_id).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else _run(row)


def change(connection: Connection, run_id: uuid.UUID, **values: Any) -> None:
    """Change columns of a run that is locked."""
    connection.execute(update(bulk_runs).where(bulk_runs.c.id == run_id).values(values))


def open_runs(connection: Connection) -> list[BulkRun]:
    """Return the runs of all projects that have not ended, the oldest first."""
    query = _select().where(bulk_runs.c.state.in_(OPEN_STATES))
    return [_run(row) for row in connection.execute(query.order_by(bulk_runs.c.created_at))]


def open_count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count the runs of a project that have not ended."""
    chosen = (bulk_runs.c.project_id == project_id, bulk_runs.c.state.in_(OPEN_STATES))
    return connection.execute(select(func.count()).where(*chosen)).scalar_one()


def page(
    connection: Connection, project_id: uuid.UUID, before: Position | None, limit: int
) -> list[BulkRun]:
    """Return runs, newest first, at most `limit`."""
    place = (bulk_runs.c.created_at, bulk_runs.c.id)
    query = _select().where(bulk_runs.c.project_id == project_id)
    if before is not None:
        query = query.where(tuple_(*place) < before)
    query = query.order_by(*(column.desc() for column in place)).limit(limit)
    return [_run(row) for row in connection.execute(query)]


def count(connection: Connection, project_id: uuid.UUID) -> int:
    """Count runs, but not beyond `COUNT_LIMIT` + 1."""
    some = select(bulk_runs.c.id).where(bulk_runs.c.project_id == project_id)
    return len(connection.execute(some.limit(COUNT_LIMIT + 1)).all())


def _select() -> Select[Any]:
    return select(bulk_runs, users.c.email).outerjoin(users, users.c.id == bulk_runs.c.created_by)


def _run(row: Row[Any]) -> BulkRun:
    return BulkRun(**row._mapping)
