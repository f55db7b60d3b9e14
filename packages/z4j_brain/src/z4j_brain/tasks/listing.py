"""Pages of the task list, each from one snapshot of the record."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain.filters import Filter
from z4j_brain.store import feeds, task_filter, tasks
from z4j_brain.store.tasks import COUNT_LIMIT, Position, TaskRecord


class Count(msgspec.Struct, frozen=True):
    """How many tasks match; when `is_capped`, there are more than `value`."""

    value: int
    is_capped: bool


class TaskPage(msgspec.Struct, frozen=True):
    """One page; `next` is where the following one begins."""

    items: list[TaskRecord]
    next: Position | None
    count: Count
    offset: int


def list_tasks(
    connection: Connection,
    project_id: uuid.UUID,
    filter: Filter,
    *,
    now: int,
    after: Position | None = None,
    known_count: Count | None = None,
    is_ascending: bool = False,
    limit: int = 50,
) -> TaskPage:
    """Return a page. Give the count of the first page to the following ones: it is costly."""
    offset = feeds.position(connection, project_id)
    where = task_filter.where(connection, project_id, filter, now)
    found = tasks.page(connection, where, after=after, is_ascending=is_ascending, limit=limit + 1)
    has_more = len(found) > limit
    items = found[:limit]
    count = known_count
    if count is None and after is None and not has_more:
        count = Count(len(items), is_capped=False)
    if count is None:
        number = tasks.count(connection, where)
        count = Count(min(number, COUNT_LIMIT), is_capped=number > COUNT_LIMIT)
    last = items[-1] if has_more else None
    following = None if last is None else (last.first_at, last.task_id, last.engine)
    return TaskPage(items, following, count, offset)
