"""Commands: their rows from the request to the result."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, insert, select, tuple_, update

from z4j_brain.store.command_results import storable_error, storable_result
from z4j_brain.store.schema import commands, users, workers

OPEN_STATES = ("pending", "sent")
UNFINISHED_STATES = (*OPEN_STATES, "expired")
"""A late result still tells more than the expiry did."""
COUNT_LIMIT = 10_000


class CommandRow(msgspec.Struct, frozen=True, kw_only=True):
    """One command as it is stored; `params` and `result` are redacted JSON text."""

    id: uuid.UUID
    project_id: uuid.UUID
    idempotency_key: str | None
    engine: str
    action: str
    task_id: str | None
    queue: str | None
    schedule: str | None = None
    store: str | None = None
    target_worker: uuid.UUID | None
    params: str
    params_exact: bool
    state: str
    created_at: int
    created_by: uuid.UUID | None
    deadline: int
    sent_at: int | None
    sent_to: uuid.UUID | None
    ended_at: int | None
    result: str | None
    error: str | None
    bulk_run: uuid.UUID | None = None
    email: str | None = None
    worker: str | None = None


Position = tuple[int, uuid.UUID]
"""Where a page begins: `created_at` and `id` of the command before it."""


def add(connection: Connection, row: CommandRow) -> CommandRow:
    """Insert a command and return it with the names of its person and worker.

    Raises `IntegrityError` when its idempotency key is taken.
    """
    values = {column.name: getattr(row, column.name) for column in commands.c}
    connection.execute(insert(commands), values)
    return find_many(connection, row.project_id, [row.id])[0]


def find(connection: Connection, project_id: uuid.UUID, command_id: uuid.UUID) -> CommandRow | None:
    """Return one command of a project."""
    found = find_many(connection, project_id, [command_id])
    return found[0] if found else None


def find_many(
    connection: Connection, project_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> list[CommandRow]:
    """Return those of these commands that exist, newest first."""
    rows = connection.execute(
        _select()
        .where(commands.c.project_id == project_id, commands.c.id.in_(ids))
        .order_by(commands.c.created_at.desc(), commands.c.id.desc())
    )
    return [_row(row) for row in rows]


def find_by_key(
    connection: Connection, project_id: uuid.UUID, idempotency_key: str
) -> CommandRow | None:
    """Return the command that was asked for with this idempotency key."""
    row = connection.execute(
        _select().where(
            commands.c.project_id == project_id, commands.c.idempotency_key == idempotency_key
        )
    ).first()
    return None if row is None else _row(row)


def page(
    connection: Connection,
    project_id: uuid.UUID,
    *,
    task_id: str | None,
    before: Position | None,
    limit: int,
) -> list[CommandRow]:
    """Return commands, newest first, at most `limit`."""
    query = _select().where(*_chosen(project_id, task_id))
    if before is not None:
        query = query.where(tuple_(commands.c.created_at, commands.c.id) < before)
    query = query.order_by(commands.c.created_at.desc(), commands.c.id.desc()).limit(limit)
    return [_row(row) for row in connection.execute(query)]


def count(connection: Connection, project_id: uuid.UUID, task_id: str | None) -> int:
    """Count commands, but not beyond `COUNT_LIMIT` + 1."""
    some = select(commands.c.id).where(*_chosen(project_id, task_id)).limit(COUNT_LIMIT + 1)
    return len(connection.execute(some).all())


def mark_pending(connection: Connection, command_id: uuid.UUID) -> bool:
    """Take back that a command was sent: the link did not accept it."""
    return _change(connection, command_id, ("sent",), {"state": "pending", "sent_at": None})


def mark_sent(connection: Connection, command_id: uuid.UUID, now: int) -> bool:
    """Note that a command is about to be sent; False when it is no longer pending."""
    return _change(connection, command_id, ("pending",), {"state": "sent", "sent_at": now})


def end(connection: Connection, command_id: uuid.UUID, *, state: str, error: str, now: int) -> bool:
    """End an open command without a result; False when it is not open."""
    values = {"state": state, "error": error, "ended_at": now}
    return _change(connection, command_id, OPEN_STATES, values)


def finish(
    connection: Connection,
    worker_row: uuid.UUID,
    command_id: str,
    ok: bool,
    result: str,
    error: str | None,
    at: int,
) -> uuid.UUID | None:
    """Record what a worker reports; return the id, or None when there is nothing to record.

    Only the worker that the command was sent to can finish it. Idempotent: a repeated result
    changes nothing. `result` is JSON text; it is redacted and cut
    here. The caller advances the feed.
    """
    try:
        row_id = uuid.UUID(command_id)
    except ValueError:
        return None
    values = {
        "state": "succeeded" if ok else "failed",
        "result": storable_result(result) if ok else None,
        "error": storable_error(error) if not ok else None,
        "ended_at": at,
    }
    changed = connection.execute(
        update(commands)
        .where(
            commands.c.id == row_id,
            commands.c.sent_to == worker_row,
            commands.c.state.in_(UNFINISHED_STATES),
        )
        .values(values)
    )
    return row_id if changed.rowcount else None


def open_of_worker(connection: Connection, worker_row: uuid.UUID) -> list[CommandRow]:
    """Return the commands that are bound to this worker and have no result, oldest first."""
    rows = connection.execute(
        _select()
        .where(commands.c.sent_to == worker_row, commands.c.state.in_(OPEN_STATES))
        .order_by(commands.c.created_at)
    )
    return [_row(row) for row in rows]


def open_pending(connection: Connection, limit: int) -> list[CommandRow]:
    """Return commands that were not sent yet, those with the nearest deadline first."""
    rows = connection.execute(
        _select().where(commands.c.state == "pending").order_by(commands.c.deadline).limit(limit)
    )
    return [_row(row) for row in rows]


def which_are_open(connection: Connection, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of these commands that wait for a result."""
    rows = connection.execute(
        select(commands.c.id).where(commands.c.id.in_(ids), commands.c.state.in_(OPEN_STATES))
    )
    return set(rows.scalars())


def overdue(connection: Connection, now: int, limit: int) -> list[CommandRow]:
    """Return open commands whose deadline has passed."""
    rows = connection.execute(
        _select()
        .where(commands.c.state.in_(OPEN_STATES), commands.c.deadline <= now)
        .order_by(commands.c.deadline)
        .limit(limit)
    )
    return [_row(row) for row in rows]


def _change(
    connection: Connection, command_id: uuid.UUID, states: tuple[str, ...], values: dict[str, Any]
) -> bool:
    changed = connection.execute(
        update(commands)
        .where(commands.c.id == command_id, commands.c.state.in_(states))
        .values(values)
    )
    return changed.rowcount > 0


def _chosen(project_id: uuid.UUID, task_id: str | None) -> list[Any]:
    chosen: list[Any] = [commands.c.project_id == project_id]
    if task_id is not None:
        chosen.append(commands.c.task_id == task_id)
    return chosen


def _select() -> Select[Any]:
    return (
        select(commands, users.c.email, workers.c.worker_id.label("worker"))
        .outerjoin(users, users.c.id == commands.c.created_by)
        .outerjoin(workers, workers.c.id == commands.c.sent_to)
    )


def _row(row: Row[Any]) -> CommandRow:
    return CommandRow(**row._mapping)
