"""What was asked about tasks that seem stuck: written when asked, and when an answer came."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.schema import commands, task_probes

MAX_ANSWERS = 50
"""Commands whose answers are read in one transaction."""
_KEY = ("project_id", "task_id", "engine")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a question, and its place in it; without a command nobody could be asked."""

    project_id: uuid.UUID
    engine: str
    task_id: str
    life_at: int
    tries: int
    asked_at: int
    next_at: int
    command_id: uuid.UUID | None = None
    place: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """The end of a command that asked; `result` is JSON text, None when there is no answer."""

    command_id: uuid.UUID
    ended_at: int
    result: str | None
    worker: uuid.UUID | None
    asked: list[Asked]


def remember(connection: Connection, asked: Iterable[Asked]) -> None:
    """Write what is asked now over what was asked before."""
    rows = [msgspec.structs.asdict(one) for one in asked]
    if not rows:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = kind.insert(task_probes)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in _KEY}
    connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=changed), rows)


def is_awaited(connection: Connection, project_id: uuid.UUID, engine: str) -> bool:
    """Tell whether a question to this engine is still open."""
    found = connection.execute(
        select(task_probes.c.task_id)
        .where(
            task_probes.c.command_id.is_not(None),
            task_probes.c.project_id == project_id,
            task_probes.c.engine == engine,
        )
        .limit(1)
    )
    return found.first() is not None


def answers(connection: Connection) -> list[Answer]:
    """Return the ends of at most `MAX_ANSWERS` commands; one whose row is gone has no answer."""
    awaited = select(task_probes.c.command_id).where(task_probes.c.command_id.is_not(None))
    ids = connection.execute(awaited.distinct().limit(MAX_ANSWERS * 2)).scalars().all()
    ends = {
        row.id: row
        for row in connection.execute(
            select(
                commands.c.id,
                commands.c.state,
                commands.c.ended_at,
                commands.c.result,
                commands.c.sent_to,
            ).where(commands.c.id.in_(ids))
        )
    }
    found = []
    for command_id in ids:
        end = ends.get(command_id)
        if end is not None and end.ended_at is None:
            continue
        has_answer = end is not None and end.state == "succeeded"
        found.append(
            Answer(
                command_id,
                0 if end is None else end.ended_at,
                end.result if has_answer and end is not None else None,
                None if end is None else end.sent_to,
                _asked(connection, command_id),
            )
        )
    return found[:MAX_ANSWERS]


def settle(connection: Connection, one: Asked, *, next_at: int, alive_at: int | None) -> None:
    """Note that an answer came: nothing is awaited until `next_at`."""
    values: dict[str, object] = {"command_id": None, "place": None, "next_at": next_at}
    if alive_at is not None:
        values["alive_at"] = alive_at
    connection.execute(
        update(task_probes)
        .where(
            task_probes.c.project_id == one.project_id,
            task_probes.c.task_id == one.task_id,
            task_probes.c.engine == one.engine,
            task_probes.c.command_id == one.command_id,
        )
        .values(values)
    )


def alive_at(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str
) -> int | None:
    """Return when some worker last said, being asked, that it holds the task."""
    return connection.execute(
        select(task_probes.c.alive_at).where(
            task_probes.c.project_id == project_id,
            task_probes.c.task_id == task_id,
            task_probes.c.engine == engine,
        )
    ).scalar()


def _asked(connection: Connection, command_id: uuid.UUID) -> list[Asked]:
    columns = [task_probes.c[name] for name in Asked.__struct_fields__]
    rows = connection.execute(
        select(*columns).where(task_probes.c.command_id == command_id).order_by(task_probes.c.place)
    )
    return [Asked(**row._mapping) for row in rows]
