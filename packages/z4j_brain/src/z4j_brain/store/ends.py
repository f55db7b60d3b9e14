"""How long the tasks that ended within a time waited and ran, counted by the database."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Integer,
    case,
    cast,
    func,
    literal,
    select,
)

from z4j_brain.sketch import LN_GAMMA, LONGEST_US
from z4j_brain.store.schema import tasks

Measure = Literal["wait", "run"]
MEASURES: tuple[Measure, ...] = ("wait", "run")
SlotCount = tuple[str, str, str, int, int]
"""Engine, queue, task name, slot of `z4j_brain.sketch`, number of tasks."""


def slot_counts(
    connection: Connection, project_id: uuid.UUID, measure: Measure, since: int, until: int
) -> list[SlotCount]:
    """Count the tasks that ended from `since` to before `until` by key and slot.

    Tasks of which the duration is not known are left out.
    """
    micros = _wait(connection) if measure == "wait" else _run(connection)
    ended = (
        select(
            tasks.c.engine,
            func.coalesce(tasks.c.queue, "").label("queue"),
            func.coalesce(tasks.c.name, "").label("name"),
            _slot(connection, micros).label("slot"),
        )
        .where(
            tasks.c.project_id == project_id,
            tasks.c.ended_at >= since,
            tasks.c.ended_at < until,
            micros.is_not(None),
        )
        .subquery()
    )
    key = (ended.c.engine, ended.c.queue, ended.c.name, ended.c.slot)
    rows = connection.execute(select(*key, func.count()).group_by(*key))
    return [tuple(row) for row in rows]


def _wait(connection: Connection) -> ColumnElement[Any]:
    """From when the task was due to its start: docs/events.md."""
    if connection.dialect.name == "postgresql":
        due = func.greatest(tasks.c.queued_at, tasks.c.eta)
    else:
        # SQLite's max() of two values is null as soon as one of them is.
        due = func.max(
            func.coalesce(tasks.c.queued_at, tasks.c.eta),
            func.coalesce(tasks.c.eta, tasks.c.queued_at),
        )
    return _between(connection, due, tasks.c.started_at)


def _run(connection: Connection) -> ColumnElement[Any]:
    by_clock = _between(connection, tasks.c.started_at, tasks.c.ended_at)
    return func.coalesce(cast(tasks.c.run_us, Double), by_clock)


def _between(connection: Connection, earlier: Any, later: Any) -> ColumnElement[Any]:
    """Return the microseconds between two times as a floating-point number."""
    if connection.dialect.name == "postgresql":
        # Not extract(): it computes with numerics, ten times slower.
        micros: ColumnElement[Any] = func.date_part("epoch", later - earlier) * literal(1e6, Double)
        return micros
    return cast(cast(later, BigInteger) - cast(earlier, BigInteger), Double)


def _slot(connection: Connection, micros: ColumnElement[Any]) -> ColumnElement[int]:
    """`slot_of` as SQL. A float of one microsecond may be a little less than 1."""
    least = func.least if connection.dialect.name == "postgresql" else func.min
    bounded = least(micros, literal(float(LONGEST_US), Double))
    slot = 1 + cast(func.ceil(func.ln(bounded) / literal(LN_GAMMA, Double)), Integer)
    return case((micros < literal(0.5, Double), 0), else_=slot)
