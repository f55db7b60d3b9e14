"""`/projects/{project}/workers`."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.route import route
from z4j_brain.api.task_views import TaskSummary, task_summary
from z4j_brain.api.worker_views import WorkerDetail, WorkerView, worker_detail, worker_view
from z4j_brain.store import feeds, tasks, workers
from z4j_brain.store.tasks import TaskRecord
from z4j_brain.store.workers import COUNT_LIMIT, Position, WorkerRecord
from z4j_core.events import Micros

MAX_RUNNING = 200


class WorkerQuery(msgspec.Struct, frozen=True):
    """Which page."""

    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class WorkerList(msgspec.Struct, frozen=True):
    """A page of workers: those online first, then the last heard."""

    items: list[WorkerView]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class _ListPosition(msgspec.Struct, frozen=True, array_like=True):
    online: bool
    last_seen: Micros
    id: uuid.UUID


@route("GET", "/projects/{project}/workers", permission="worker.read")
async def read_workers(call: ProjectCall, query: WorkerQuery) -> WorkerList:
    """List workers, those online first."""
    scope = f"workers|{call.project.id}"
    after: Position | None = None
    if query.cursor:
        position = decode_cursor(scope, query.cursor, _ListPosition)
        after = (position.online, position.last_seen, position.id)
    found, count, offset = await call.brain.database.run(
        _read_page, call.project.id, after, query.limit
    )
    last = found[query.limit - 1] if len(found) > query.limit else None
    following = None if last is None else _ListPosition(last.online, last.last_seen, last.id)
    return WorkerList(
        items=[worker_view(worker) for worker in found[: query.limit]],
        next=None if following is None else encode_cursor(scope, following),
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
        offset=offset,
    )


@route("GET", "/projects/{project}/workers/{id}", permission="worker.read")
async def read_worker(call: ProjectCall, id: uuid.UUID) -> WorkerDetail:
    """Read one worker and what it runs now."""
    worker, running = await call.brain.database.run(_read_one, call.project.id, id)
    if worker is None:
        raise problems.not_found("worker")
    summaries: list[TaskSummary] = [task_summary(task) for task in running]
    return worker_detail(worker, summaries)


def _read_page(
    connection: Connection, project_id: uuid.UUID, after: Position | None, limit: int
) -> tuple[list[WorkerRecord], int, int]:
    offset = feeds.position(connection, project_id)
    found = workers.page(connection, project_id, after=after, limit=limit + 1)
    return found, workers.count(connection, project_id), offset


def _read_one(
    connection: Connection, project_id: uuid.UUID, worker_row: uuid.UUID
) -> tuple[WorkerRecord | None, list[TaskRecord]]:
    worker = workers.find(connection, project_id, worker_row)
    if worker is None or not worker.running:
        return worker, []
    return worker, tasks.running_on(connection, project_id, worker.worker_id, MAX_RUNNING)
