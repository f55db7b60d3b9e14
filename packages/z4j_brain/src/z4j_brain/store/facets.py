"""The distinct values that a project's tasks have, found by hops through an index.

A hop asks the index for the smallest value above the last one, so the cost grows with the number
of distinct values and not with the number of tasks.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, func, select

from z4j_brain.store.schema import tasks, workers

MAX_NAMES = 500
MAX_QUEUES = 200
MAX_WORKERS = 200
_NEWEST = 100


class Facets(msgspec.Struct, frozen=True):
    """Values for completion; `queues` holds pairs of engine and queue."""

    queues: list[tuple[str, str]]
    names: list[str]
    workers: list[str]
    engines: list[str]


def find(connection: Connection, project_id: uuid.UUID) -> Facets:
    """Return the values of a project, each list bounded and sorted."""
    queues = _queues(connection, project_id)
    engines = {engine for engine, _ in queues} | _engines_of_workers(connection, project_id)
    return Facets(
        queues=queues,
        names=distinct(connection, project_id, tasks.c.name, MAX_NAMES),
        workers=_workers(connection, project_id),
        engines=sorted(engines),
    )


def distinct(
    connection: Connection, project_id: uuid.UUID, column: Column[Any], limit: int
) -> list[str]:
    """Return up to `limit` values of an indexed column (`name` or `queue`), sorted."""
    smallest = select(func.min(column).label("value")).where(tasks.c.project_id == project_id)
    hops = smallest.cte("hops", recursive=True)
    following = (
        select(func.min(column))
        .where(tasks.c.project_id == project_id, column > hops.c.value)
        .scalar_subquery()
    )
    hops = hops.union_all(select(following).where(hops.c.value.is_not(None)))
    found = select(hops.c.value).where(hops.c.value.is_not(None)).limit(limit)
    return sorted(connection.execute(found).scalars())


def _queues(connection: Connection, project_id: uuid.UUID) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for queue in distinct(connection, project_id, tasks.c.queue, MAX_QUEUES):
        newest = (
            select(tasks.c.engine)
            .where(tasks.c.project_id == project_id, tasks.c.queue == queue)
            .order_by(tasks.c.first_at.desc())
            .limit(_NEWEST)
            .subquery()
        )
        engines = connection.execute(select(newest.c.engine).distinct()).scalars()
        pairs += [(engine, queue) for engine in sorted(engines)]
    return pairs


def _workers(connection: Connection, project_id: uuid.UUID) -> list[str]:
    newest = (
        select(workers.c.worker_id)
        .where(workers.c.project_id == project_id, workers.c.role == "worker")
        .order_by(workers.c.last_seen.desc())
        .limit(5 * MAX_WORKERS)
    )
    names = dict.fromkeys(connection.execute(newest).scalars())
    return sorted(list(names)[:MAX_WORKERS])


def _engines_of_workers(connection: Connection, project_id: uuid.UUID) -> set[str]:
    rows = connection.execute(
        select(workers.c.engines)
        .where(workers.c.project_id == project_id)
        .order_by(workers.c.last_seen.desc())
        .limit(_NEWEST)
    ).scalars()
    return {engine["name"] for engines in rows for engine in engines}
