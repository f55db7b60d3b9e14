"""`/projects/{project}/schedules` and `/schedulers`."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.actions import AbsentAction, action_view
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.route import route
from z4j_brain.api.schedule_views import (
    ScheduleDetail,
    ScheduleView,
    StoreView,
    schedule_detail,
    schedule_view,
    store_view,
)
from z4j_brain.api.task_views import task_summary
from z4j_brain.api.times import now
from z4j_brain.commands.catalogue import Catalogue
from z4j_brain.store import actions, feeds, schedules
from z4j_brain.store.actions import OnlineWorker
from z4j_brain.store.schedules import COUNT_LIMIT, Chosen, Position, ScheduleRecord, StoreRecord
from z4j_brain.store.tasks import TaskRecord

Name = Annotated[str, Meta(max_length=64, pattern=r"^([a-z][a-z0-9_.-]*)?$")]


class ScheduleQuery(msgspec.Struct, frozen=True):
    """Which schedules, and which page. Empty is any; `state` ``gone`` lists what no store has."""

    scheduler: Name = ""
    store: Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?$")] = ""
    owner: Literal["", "code", "store"] = ""
    state: Literal["", "enabled", "paused", "missed", "gone"] = ""
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class ScheduleList(msgspec.Struct, frozen=True):
    """A page of schedules, by name."""

    items: list[ScheduleView]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class StoreList(msgspec.Struct, frozen=True):
    """Every store that a worker told of."""

    items: list[StoreView]
    offset: int


class _ListPosition(msgspec.Struct, frozen=True, array_like=True):
    name: str
    id: uuid.UUID


@route("GET", "/projects/{project}/schedules", permission="schedule.read")
async def read_schedules(call: ProjectCall, query: ScheduleQuery) -> ScheduleList:
    """List schedules by name."""
    chosen = _chosen(query)
    scope = f"schedules|{call.project.id}|{chosen}"
    after: Position | None = None
    if query.cursor:
        position = decode_cursor(scope, query.cursor, _ListPosition)
        after = (position.name, position.id)
    found, count, offset = await call.brain.database.run(
        _read_page, call.project.id, chosen, after, query.limit
    )
    last = found[query.limit - 1] if len(found) > query.limit else None
    following = None if last is None else _ListPosition(last.name, last.id)
    return ScheduleList(
        items=[schedule_view(one) for one in found[: query.limit]],
        next=None if following is None else encode_cursor(scope, following),
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
        offset=offset,
    )


@route("GET", "/projects/{project}/schedules/{id}", permission="schedule.read")
async def read_schedule(call: ProjectCall, id: uuid.UUID) -> ScheduleDetail:
    """Read one schedule, what it publishes, and the newest tasks of that name."""
    found = await call.brain.database.run(_read_one, call.project.id, id)
    if found is None:
        raise problems.not_found("schedule")
    schedule, runs = found
    return schedule_detail(schedule, [task_summary(task) for task in runs])


@route("GET", "/projects/{project}/schedulers", permission="schedule.read")
async def read_schedulers(call: ProjectCall) -> StoreList:
    """List the stores of schedules, who reads them, and what can be asked of them."""
    at = now()
    stores, workers, offset = await call.brain.database.run(_read_stores, call.project.id, at)
    catalogue = Catalogue(workers)
    return StoreList([_store_view(one, catalogue, at) for one in stores], offset)


def _store_view(store: StoreRecord, catalogue: Catalogue, at: int) -> StoreView:
    mine = (store.scheduler, store.store)
    return store_view(
        store,
        at,
        [action_view(one) for one in catalogue.offered(mine)],
        [AbsentAction(one.engine, one.name, one.reason) for one in catalogue.absent(mine)],
    )


def _chosen(query: ScheduleQuery) -> Chosen:
    return Chosen(
        scheduler=query.scheduler or None,
        store=query.store or None,
        owner=query.owner or None,
        enabled={"enabled": True, "paused": False}.get(query.state),
        missed=True if query.state == "missed" else None,
        gone=query.state == "gone",
    )


def _read_page(
    connection: Connection,
    project_id: uuid.UUID,
    chosen: Chosen,
    after: Position | None,
    limit: int,
) -> tuple[list[ScheduleRecord], int, int]:
    offset = feeds.position(connection, project_id)
    found = schedules.page(connection, project_id, chosen, after=after, limit=limit + 1)
    return found, schedules.count(connection, project_id, chosen), offset


def _read_one(
    connection: Connection, project_id: uuid.UUID, row: uuid.UUID
) -> tuple[ScheduleRecord, list[TaskRecord]] | None:
    found = schedules.find(connection, project_id, row)
    return None if found is None else (found, schedules.runs(connection, project_id, found))


def _read_stores(
    connection: Connection, project_id: uuid.UUID, at: int
) -> tuple[list[StoreRecord], list[OnlineWorker], int]:
    offset = feeds.position(connection, project_id)
    return (
        schedules.stores(connection, project_id, at),
        actions.online_workers(connection, project_id),
        offset,
    )
