"""What a bulk run would act on, counted before it is made. Counts are capped and say so."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, literal, select

from z4j_brain.store.schema import tasks

MAX_MEMBERS = 100_000
"""No run acts on more tasks."""
MAX_LOOKED_AT = 10_000
"""So many of the newest tasks are looked at more closely than to count them."""
MAX_NAMES = 10


class NameCount(msgspec.Struct, frozen=True):
    """How many of the tasks looked at have this name; None is that of unnamed ones."""

    name: str | None
    count: int


class Looked(msgspec.Struct, frozen=True):
    """What was seen of the newest tasks, at most `MAX_LOOKED_AT` of them. `names` counts their
    different names, of which `by_name` has the most frequent.

    `retried` counts those of which a retry is recorded, `later_succeeded` those of which one has
    succeeded; `alike` those that share name and arguments with another one, where the arguments
    are recorded exactly.
    """

    count: int
    by_name: list[NameCount]
    names: int
    retried: int
    later_succeeded: int
    alike: int


def count(connection: Connection, where: ColumnElement[bool]) -> int:
    """Count tasks, but not beyond `MAX_MEMBERS` + 1."""
    some = select(literal(1)).select_from(tasks).where(where).limit(MAX_MEMBERS + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def look(connection: Connection, where: ColumnElement[bool]) -> Looked:
    """Look at the newest tasks that meet a condition."""
    names = ("project_id", "engine", "task_id", "name", "args", "kwargs", "exact")
    chosen = _newest(where, *names)
    by_name = _grouped(connection, chosen.c.name)
    retried, succeeded = _retries(connection, chosen)
    return Looked(
        count=sum(number for _, number in by_name),
        by_name=[NameCount(name, number) for name, number in by_name[:MAX_NAMES]],
        names=len(by_name),
        retried=retried,
        later_succeeded=succeeded,
        alike=_alike(connection, chosen),
    )


def by_state(connection: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """Return how many of the newest tasks that meet a condition are in each state."""
    return dict(_grouped(connection, _newest(where, "state").c.state))


def _newest(where: ColumnElement[bool], *columns: str) -> Any:
    query = select(*(tasks.c[name] for name in columns)).where(where)
    return query.order_by(tasks.c.first_at.desc()).limit(MAX_LOOKED_AT).subquery()


def _grouped(connection: Connection, column: Any) -> list[tuple[Any, int]]:
    number = func.count()
    query = select(column, number).group_by(column).order_by(number.desc(), column)
    return [(row[0], row[1]) for row in connection.execute(query)]


def _retries(connection: Connection, chosen: Any) -> tuple[int, int]:
    made = tasks.alias("made")
    is_of = (
        made.c.project_id == chosen.c.project_id,
        made.c.retried_from == chosen.c.task_id,
        made.c.engine == chosen.c.engine,
    )
    has_any = select(literal(1)).where(*is_of).exists()
    has_good = select(literal(1)).where(*is_of, made.c.state == "succeeded").exists()
    retried = select(chosen.c.task_id, has_good.label("good")).where(has_any).subquery()
    query = select(func.count(), func.count().filter(retried.c.good)).select_from(retried)
    row = connection.execute(query).one()
    return row[0], row[1]


def _alike(connection: Connection, chosen: Any) -> int:
    number = func.count().label("number")
    groups = (
        select(number)
        .where(chosen.c.exact)
        .group_by(chosen.c.name, chosen.c.args, chosen.c.kwargs)
        .having(func.count() > 1)
        .subquery()
    )
    return int(connection.execute(select(func.coalesce(func.sum(groups.c.number), 0))).scalar_one())
