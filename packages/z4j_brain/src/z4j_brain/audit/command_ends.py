"""The ends of commands that a person asked for. What the server asks by itself is not told, and
what belongs to a bulk run is told with the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection

from z4j_brain.audit.author import Actor, Author, Target, from_server
from z4j_brain.audit.recording import record
from z4j_brain.keys import Keys
from z4j_brain.store import commands
from z4j_brain.store.commands import CommandRow
from z4j_brain.store.workers import agent_of


def reported(connection: Connection, ended: dict[UUID, list[UUID]], *, keys: Keys) -> None:
    """Record that agents have reported results: the ids of commands, by project."""
    for project_id in sorted(ended):
        for row in commands.find_many(connection, project_id, ended[project_id]):
            agent = None if row.sent_to is None else agent_of(connection, row.sent_to)
            author = from_server(keys)
            if agent is not None:
                author = Author(keys, Actor("agent", *agent))
            _record(connection, author, row, row.ended_at)


def given_up(connection: Connection, keys: Keys, ended: Iterable[CommandRow], now: int) -> None:
    """Record that the server has ended commands by itself."""
    by_project: dict[UUID, list[UUID]] = {}
    for row in ended:
        by_project.setdefault(row.project_id, []).append(row.id)
    for project_id in sorted(by_project):
        for row in commands.find_many(connection, project_id, by_project[project_id]):
            _record(connection, from_server(keys), row, now)


def target_of(row: CommandRow, name: str | None = None) -> Target:
    """Return what a command acts on; `name` is that of its task or schedule."""
    if row.task_id is not None:
        return Target("task", row.task_id, name or row.task_id)
    if row.schedule is not None:
        return Target("schedule", row.schedule, name or row.schedule)
    if row.store is not None:
        return Target("scheduler", row.engine, row.engine)
    if row.queue is not None:
        return Target("queue", row.queue, row.queue)
    if row.target_worker is not None:
        return Target("worker", str(row.target_worker), row.worker or str(row.target_worker))
    return Target("engine", row.engine, row.engine)


def _record(connection: Connection, author: Author, row: CommandRow, now: int | None) -> None:
    if row.created_by is None or row.bulk_run is not None:
        return
    after = {"command": str(row.id), "state": row.state, "worker": row.worker, "error": row.error}
    record(
        connection,
        author,
        f"command.{row.action}.{row.state}",
        target_of(row),
        project_id=row.project_id,
        after=after,
        now=now,
    )
