"""Which tasks belong to one workflow: from links between tasks, each query bounded."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, and_, or_, select

from z4j_brain.store.schema import tasks
from z4j_brain.store.task_filter import Where

MAX_ROOTS = 200
"""Members of a group that was published outside of any task: each of them is a root."""
MAX_STEPS = 20


class Links(msgspec.Struct, frozen=True, gc=False):
    """Where a task stands in its workflow."""

    task_id: str
    parent_id: str | None
    root_id: str | None
    group_id: str | None


_COLUMNS = [tasks.c[name] for name in Links.__struct_fields__]


def links(
    connection: Connection, project_id: uuid.UUID, engine: str, task_ids: Collection[str]
) -> dict[str, Links]:
    """Return the links of those of these tasks that exist."""
    rows = connection.execute(
        select(*_COLUMNS).where(
            tasks.c.project_id == project_id,
            tasks.c.engine == engine,
            tasks.c.task_id.in_(set(task_ids)),
        )
    )
    return {row.task_id: Links(*row) for row in rows}


def path(connection: Connection, project_id: uuid.UUID, engine: str, last: Links) -> list[Links]:
    """Return the tasks from the first known one above `last` down to `last`, `MAX_STEPS` at most.

    Links are what processes told, so they may lead in a circle, or to nothing.
    """
    found = [last]
    seen = {last.task_id}
    while len(found) < MAX_STEPS:
        parent = found[-1].parent_id
        if parent is None or parent in seen:
            break
        above = links(connection, project_id, engine, [parent]).get(parent)
        if above is None:
            break
        seen.add(parent)
        found.append(above)
    return found[::-1]


def whole(
    connection: Connection, project_id: uuid.UUID, engine: str, way: Collection[Links]
) -> Where:
    """Return the condition on `tasks` for the workflow of the tasks on `way`.

    It has the tasks of their roots, of their groups, and of the roots of these groups' members:
    what a chord calls at its end has the root of the member that ended last.
    """
    groups = {one.group_id for one in way if one.group_id is not None}
    roots = {one.root_id or one.task_id for one in way} | {one.task_id for one in way}
    of_engine = and_(tasks.c.project_id == project_id, tasks.c.engine == engine)
    if groups:
        members = select(tasks.c.task_id, tasks.c.root_id).where(
            of_engine, tasks.c.group_id.in_(groups)
        )
        for row in connection.execute(members.limit(MAX_ROOTS)):
            roots.add(row.root_id or row.task_id)
    below = and_(tasks.c.root_id != tasks.c.task_id, tasks.c.root_id.in_(roots))
    parts = [below, tasks.c.task_id.in_(roots)]
    if groups:
        parts.append(tasks.c.group_id.in_(groups))
    return and_(of_engine, or_(*parts))
