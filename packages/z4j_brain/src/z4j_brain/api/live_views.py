"""What the live feed shows: the same views as the lists, read once for all readers."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain.api.command_views import command_view
from z4j_brain.api.task_views import task_summary
from z4j_brain.api.times import millis, now, rfc3339
from z4j_brain.api.worker_views import worker_view
from z4j_brain.live.changes import Changes
from z4j_brain.live.hub import Pulse
from z4j_brain.live.messages import Views
from z4j_brain.store import commands, feeds, tasks, workers
from z4j_brain.store.commands import CommandRow
from z4j_brain.store.database import Database
from z4j_brain.store.tasks import TaskRecord
from z4j_brain.store.workers import WorkerRecord


class _Rows(msgspec.Struct, frozen=True):
    tasks: list[TaskRecord]
    workers: list[WorkerRecord]
    commands: list[CommandRow]


class LiveSource:
    """The `live.hub.Source` of a server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pulse(self, project_id: uuid.UUID) -> Pulse:
        """Return the feed's offset and how far the record is behind."""
        position, lag_us = await self._database.run(_pulse, project_id)
        return Pulse(position, rfc3339(now()), millis(lag_us))

    async def views(self, project_id: uuid.UUID, changes: Changes) -> Views:
        """Return the current rows of these keys, from one snapshot."""
        rows = await self._database.run(_rows, project_id, changes)
        return Views(
            tasks=[task_summary(task) for task in rows.tasks],
            workers=[worker_view(worker) for worker in rows.workers],
            commands=[command_view(command) for command in rows.commands],
            agents=[str(agent) for agent in changes.agents],
            issues=changes.issues,
            schedules=changes.schedules,
            bulk_runs=[str(run) for run in changes.bulk_runs],
        )


def _pulse(connection: Connection, project_id: uuid.UUID) -> tuple[int, int | None]:
    return feeds.position(connection, project_id), workers.lag_us(connection, project_id)


def _rows(connection: Connection, project_id: uuid.UUID, changes: Changes) -> _Rows:
    return _Rows(
        tasks.find_many(connection, project_id, changes.task_keys),
        workers.find_many(connection, project_id, changes.workers),
        commands.find_many(connection, project_id, changes.commands),
    )
