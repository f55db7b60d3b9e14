"""The tasks of a bulk run: gathered once, each with its turn and its end."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from z4j_brain.filters import Filter
from z4j_brain.store import task_filter
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.commands import OPEN_STATES
from z4j_brain.store.schema import bulk_members as members
from z4j_brain.store.schema import commands, tasks

RETRIES = ("retry", "retry_edited")
"""The actions that a second time would do harm."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a run. `made_task_id` is the task that the engine's answer names, and
    `made_state` what became of it; both None where there is none.
    """

    number: int
    task_id: str
    state: str
    command_id: uuid.UUID | None
    made_task_id: str | None
    reason: str | None
    ended_at: int | None
    made_state: str | None = None
    made_ended_at: int | None = None


class Ended(msgspec.Struct, frozen=True):
    """A member whose command has its result; `result` is JSON text."""

    number: int
    state: str
    error: str | None
    result: str | None
    ended_at: int


def eligible(
    connection: Connection,
    project_id: uuid.UUID,
    filter: Filter,
    *,
    engine: str,
    states: list[str] | None,
    at: int,
) -> ColumnElement[bool]:
    """Return the condition on `tasks` for what a run of that moment acts on: its filter as of then,
    one engine, the states of the action (None: any), and nothing that began or ended later.
    """
    found = and_(
        task_filter.where(connection, project_id, filter, at),
        tasks.c.engine == engine,
        tasks.c.first_at <= at,
        or_(tasks.c.ended_at.is_(None), tasks.c.ended_at <= at),
    )
    return found if states is None else and_(found, task_filter.state_in(tuple(states)))


def gather(
    connection: Connection, run: BulkRun, where: ColumnElement[bool], limit: int, now: int
) -> list[tuple[int, str]]:
    """Add the next tasks of a run, oldest first; return `first_at` and id of each."""
    query = select(tasks.c.first_at, tasks.c.task_id).where(where)
    if run.walked_at is not None:
        place = tuple_(tasks.c.first_at, tasks.c.task_id)
        # The bound on `first_at` repeats what the comparison of rows says, for the index.
        query = query.where(
            tasks.c.first_at >= run.walked_at, place > (run.walked_at, run.walked_task)
        )
    query = query.order_by(tasks.c.first_at, tasks.c.task_id).limit(limit)
    found = [(row.first_at, row.task_id) for row in connection.execute(query)]
    if found:
        first = run.total + 1
        rows = [
            {
                "run_id": run.id,
                "number": number,
                "task_id": task_id,
                "state": "waiting",
                "created_at": now,
            }
            for number, (_, task_id) in enumerate(found, first)
        ]
        connection.execute(insert(members), rows)
    return found


def after(
    connection: Connection, run_id: uuid.UUID, number: int, limit: int
) -> list[tuple[int, str]]:
    """Return number and task id of the members that come after a number."""
    query = select(members.c.number, members.c.task_id).where(
        members.c.run_id == run_id, members.c.number > number
    )
    rows = connection.execute(query.order_by(members.c.number).limit(limit))
    return [(row.number, row.task_id) for row in rows]


def settle(connection: Connection, run_id: uuid.UUID, rows: Sequence[dict[str, Any]]) -> None:
    """Write what became of members. Each row has a `number` and the same columns."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "number"]
    change = (
        update(members)
        .where(members.c.run_id == run_id, members.c.number == bindparam("at_number"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    connection.execute(
        change,
        [
            {"at_number": row["number"]} | {f"new_{name}": row[name] for name in columns}
            for row in rows
        ],
    )


def ended(connection: Connection, run_id: uuid.UUID, limit: int) -> list[Ended]:
    """Return members that were sent and whose command has ended, in their order."""
    query = (
        select(
            members.c.number,
            commands.c.state,
            commands.c.error,
            commands.c.result,
            commands.c.ended_at,
        )
        .join(commands, commands.c.id == members.c.command_id)
        .where(
            members.c.run_id == run_id,
            members.c.state == "sent",
            commands.c.state.not_in(OPEN_STATES),
        )
        .order_by(members.c.number)
        .limit(limit)
    )
    return [Ended(**row._mapping) for row in connection.execute(query)]


def already_retried(connection: Connection, run: BulkRun, task_ids: Collection[str]) -> set[str]:
    """Return those of these tasks that were retried since they ended, or may be: a retry of theirs
    is recorded, or a command for one was not turned down.
    """
    made = select(tasks.c.retried_from).where(
        tasks.c.project_id == run.project_id,
        tasks.c.retried_from.in_(task_ids),
        tasks.c.engine == run.engine,
    )
    is_same = and_(
        tasks.c.project_id == commands.c.project_id,
        tasks.c.task_id == commands.c.task_id,
        tasks.c.engine == commands.c.engine,
    )
    asked = (
        select(commands.c.task_id)
        .join(tasks, is_same)
        .where(
            commands.c.project_id == run.project_id,
            commands.c.task_id.in_(task_ids),
            commands.c.engine == run.engine,
            commands.c.action.in_(RETRIES),
            or_(
                commands.c.state.in_((*OPEN_STATES, "succeeded")),
                # Sent, and no result came: it may have been carried out.
                and_(commands.c.state == "expired", commands.c.sent_at.is_not(None)),
            ),
            # Some engines run the same task again: what was asked before its last end is over.
            or_(tasks.c.ended_at.is_(None), commands.c.created_at >= tasks.c.ended_at),
        )
    )
    return {*connection.execute(made).scalars(), *connection.execute(asked).scalars()}


def followed(connection: Connection, run: BulkRun) -> list[Member]:
    """Return the members of the canary, each with the state of the task that it made."""
    query = _select(run).where(members.c.run_id == run.id, members.c.number <= run.canary_size)
    return [Member(**row._mapping) for row in connection.execute(query)]


def page(
    connection: Connection, run: BulkRun, state: str | None, after: int, limit: int
) -> list[Member]:
    """Return members whose number is greater than `after`, in their order."""
    query = _select(run).where(members.c.run_id == run.id, members.c.number > after)
    if state is not None:
        query = query.where(members.c.state == state)
    rows = connection.execute(query.order_by(members.c.number).limit(limit))
    return [Member(**row._mapping) for row in rows]


def count(connection: Connection, run_id: uuid.UUID, state: str) -> int:
    """Count the members of a run in a state."""
    chosen = (members.c.run_id == run_id, members.c.state == state)
    return connection.execute(select(func.count()).where(*chosen)).scalar_one()


def _select(run: BulkRun) -> Any:
    made = and_(
        tasks.c.project_id == run.project_id,
        tasks.c.task_id == members.c.made_task_id,
        tasks.c.engine == run.engine,
    )
    columns = [members.c[name] for name in Member.__struct_fields__ if name in members.c]
    of_made = (tasks.c.state.label("made_state"), tasks.c.ended_at.label("made_ended_at"))
    return select(*columns, *of_made).select_from(members.outerjoin(tasks, made))
