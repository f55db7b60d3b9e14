"""The workflow that a task belongs to, in pages."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import task_tree, tasks
from z4j_brain.store.task_tree import Links
from z4j_brain.store.tasks import Position, TaskRecord


class Branch(msgspec.Struct, frozen=True):
    """A task with where it stands."""

    task: TaskRecord
    links: Links


class Tree(msgspec.Struct, frozen=True):
    """One page of a workflow, oldest first, and the way down to the task that was asked for.

    `path` begins at the first task above it that the record has, and ends with the task itself.
    """

    path: list[Branch]
    items: list[Branch]
    next: Position | None


def read_tree(
    connection: Connection,
    project_id: uuid.UUID,
    engine: str,
    task_id: str,
    after: Position | None,
    limit: int,
) -> Tree | None:
    """Return a page of the workflow of a task, None if there is no such task."""
    asked = task_tree.links(connection, project_id, engine, [task_id]).get(task_id)
    if asked is None:
        return None
    way = task_tree.path(connection, project_id, engine, asked)
    where = task_tree.whole(connection, project_id, engine, way)
    found = tasks.page(connection, where, after=after, is_ascending=True, limit=limit + 1)
    items = found[:limit]
    known = task_tree.links(connection, project_id, engine, [one.task_id for one in items])
    on_way = {one.task_id: one for one in way}
    above = tasks.find_many(connection, project_id, [(engine, one) for one in on_way])
    by_id = {one.task_id: one for one in above}
    last = items[-1] if len(found) > limit else None
    return Tree(
        path=[Branch(by_id[name], one) for name, one in on_way.items() if name in by_id],
        items=[Branch(one, known[one.task_id]) for one in items if one.task_id in known],
        next=None if last is None else (last.first_at, last.task_id, last.engine),
    )
