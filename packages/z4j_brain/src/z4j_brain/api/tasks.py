"""`/projects/{project}/tasks`: the list, one task in full, its events."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.filter_text import read_filter, refusing_slow_filters
from z4j_brain.api.json_text import as_json
from z4j_brain.api.route import route
from z4j_brain.api.task_views import TaskDetail, TaskSummary, task_detail, task_summary
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.store import events
from z4j_brain.store.tasks import COUNT_LIMIT, Position
from z4j_brain.tasks.detail import MAX_EVENTS, read_task
from z4j_brain.tasks.listing import Count, list_tasks
from z4j_core.events import MAX_TASK_ID, EngineName, Micros, TaskId

Sort = Literal["-first_at", "first_at"]


class TaskListQuery(msgspec.Struct, frozen=True):
    """`q` is the filter language (docs/filters.md)."""

    q: str = ""
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    sort: Sort = "-first_at"


class TaskList(msgspec.Struct, frozen=True):
    """A page of tasks; `count` is "more than" when `count_capped`."""

    items: list[TaskSummary]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class EventView(msgspec.Struct, frozen=True):
    """One event; `occurred_at` by the clock of the process that reports it."""

    kind: str
    attempt: int
    occurred_at: Timestamp
    received_at: Timestamp
    worker: str | None
    queue: str | None
    name: str | None
    payload: Any


class EventList(msgspec.Struct, frozen=True):
    """The events of a task in the order they occurred; the newest when `truncated`."""

    items: list[EventView]
    truncated: bool


class _ListPosition(msgspec.Struct, frozen=True, array_like=True):
    first_at: Micros
    task_id: TaskId
    engine: EngineName
    count: Annotated[int, Meta(ge=0, le=COUNT_LIMIT)]
    is_capped: bool

    @property
    def after(self) -> Position:
        return self.first_at, self.task_id, self.engine


@route("GET", "/projects/{project}/tasks", permission="task.read")
async def read_tasks(call: ProjectCall, query: TaskListQuery) -> TaskList:
    """List tasks by a filter, newest first."""
    filter = read_filter(query.q, "?q")
    scope = f"tasks|{call.project.id}|{query.sort}|{query.q}"
    position = decode_cursor(scope, query.cursor, _ListPosition) if query.cursor else None
    work = partial(
        list_tasks,
        project_id=call.project.id,
        filter=filter,
        now=now(),
        after=position.after if position else None,
        known_count=Count(position.count, position.is_capped) if position else None,
        is_ascending=query.sort == "first_at",
        limit=query.limit,
    )
    with refusing_slow_filters("?q"):
        page = await call.brain.database.run(work)
    following = None
    if page.next is not None:
        following = _ListPosition(*page.next, page.count.value, page.count.is_capped)
    return TaskList(
        items=[task_summary(task) for task in page.items],
        next=None if following is None else encode_cursor(scope, following),
        count=page.count.value,
        count_capped=page.count.is_capped,
        offset=page.offset,
    )


@route("GET", "/projects/{project}/tasks/{engine}/{task_id}", permission="task.read")
async def read_one_task(call: ProjectCall, engine: str, task_id: str) -> TaskDetail:
    """Read one task in full."""
    refuse_impossible(engine, task_id)
    found = await call.brain.database.run(
        read_task, call.project.id, engine, task_id, call.permissions
    )
    if found is None:
        raise problems.not_found("task")
    return task_detail(found)


@route("GET", "/projects/{project}/tasks/{engine}/{task_id}/events", permission="task.read")
async def read_task_events(call: ProjectCall, engine: str, task_id: str) -> EventList:
    """Read the events of one task."""
    refuse_impossible(engine, task_id)
    found = await call.brain.database.run(
        events.newest, call.project.id, engine, task_id, MAX_EVENTS + 1
    )
    if not found:
        raise problems.not_found("task")
    return EventList([_event_view(event) for event in found[-MAX_EVENTS:]], len(found) > MAX_EVENTS)


def refuse_impossible(engine: str, task_id: str) -> None:
    """No database is asked for a text that it could not hold."""
    if "\0" in engine + task_id or len(task_id) > MAX_TASK_ID or len(engine) > MAX_TASK_ID:
        raise problems.not_found("task")


def _event_view(event: events.EventRecord) -> EventView:
    return EventView(
        event.kind,
        event.attempt,
        rfc3339(event.occurred_at),
        rfc3339(event.received_at),
        event.worker,
        event.queue,
        event.name,
        as_json(event.payload),
    )
