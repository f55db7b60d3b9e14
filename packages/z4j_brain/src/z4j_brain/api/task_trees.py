"""`/projects/{project}/tasks/{engine}/{task_id}/tree`: the workflow that a task belongs to."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.route import route
from z4j_brain.api.tasks import refuse_impossible
from z4j_brain.api.times import Timestamp, millis, rfc3339
from z4j_brain.tasks.tree import Branch, read_tree
from z4j_core.events import EngineName, Micros, TaskId


class TreeQuery(msgspec.Struct, frozen=True):
    """Which page of the tree."""

    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class TreeTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a workflow. Its parent may be a task that the record does not have any more."""

    task_id: str
    parent_id: str | None
    group_id: str | None
    name: str | None
    state: str
    attempt: int
    first_at: Timestamp
    ended_at: Timestamp | None
    run_ms: int | None


class TaskTree(msgspec.Struct, frozen=True):
    """A page of a workflow, oldest first.

    `path` leads from the first task that is known above the one asked for down to it, so that it
    can be placed whatever page it is on; at most 20 tasks.
    """

    path: list[TreeTask]
    items: list[TreeTask]
    next: str | None


class _Position(msgspec.Struct, frozen=True, array_like=True):
    first_at: Micros
    task_id: TaskId
    engine: EngineName


@route("GET", "/projects/{project}/tasks/{engine}/{task_id}/tree", permission="task.read")
async def read_task_tree(
    call: ProjectCall, engine: str, task_id: str, query: TreeQuery
) -> TaskTree:
    """Read the workflow of a task: chains, groups, chords, and what tasks publish."""
    refuse_impossible(engine, task_id)
    scope = f"tree|{call.project.id}|{engine}|{task_id}"
    after = decode_cursor(scope, query.cursor, _Position) if query.cursor else None
    found = await call.brain.database.run(
        read_tree,
        call.project.id,
        engine,
        task_id,
        None if after is None else (after.first_at, after.task_id, after.engine),
        query.limit,
    )
    if found is None:
        raise problems.not_found("task")
    following = None if found.next is None else encode_cursor(scope, _Position(*found.next))
    return TaskTree(
        path=[_view(branch) for branch in found.path],
        items=[_view(branch) for branch in found.items],
        next=following,
    )


def _view(branch: Branch) -> TreeTask:
    task = branch.task
    return TreeTask(
        task_id=task.task_id,
        parent_id=branch.links.parent_id,
        group_id=branch.links.group_id,
        name=task.name,
        state=task.state,
        attempt=task.attempt,
        first_at=rfc3339(task.first_at),
        ended_at=rfc3339(task.ended_at),
        run_ms=millis(task.duration_us),
    )
