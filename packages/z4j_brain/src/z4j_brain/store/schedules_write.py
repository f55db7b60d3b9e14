"""What readers tell of schedules, folded into their rows; what was missed."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from z4j_brain.store import feeds
from z4j_brain.store.schedule_election import StoreKey
from z4j_brain.store.schedules import ToldSchedule
from z4j_brain.store.schema import schedule_stores, schedules
from z4j_brain.store.types import new_id

REFRESH_US = 3_600_000_000
"""`seen_at` of a schedule that has not changed is written again only after this time."""
GRACE_US = 60_000_000
"""How late a run may be before it counts as missed."""
EARLY_US = 1_000_000
"""A run this much before its time is still that run."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All schedules of a store at one moment, or why they could not be read. `total` counts also
    those that were not told because they are too many.
    """

    key: StoreKey
    sampler: uuid.UUID
    at: int
    schedules: list[ToldSchedule] = []
    total: int = 0
    error: str | None = None


class Folded(msgspec.Struct, frozen=True):
    """What a reading changed: the rows of schedules, and the feed's offset."""

    changed: list[uuid.UUID]
    offset: int


def fold(connection: Connection, reading: Reading) -> Folded | None:
    """Record a reading. None when nothing that is shown has changed, or when its worker is no
    longer the one that is elected.
    """
    key = msgspec.structs.asdict(reading.key)
    is_it = [schedule_stores.c[name] == value for name, value in key.items()]
    known = connection.execute(select(schedule_stores).where(*is_it).with_for_update()).first()
    if known is None or known.sampler != reading.sampler:
        return None
    values: dict[str, Any] = {"sampled_at": reading.at, "error": reading.error}
    changed: list[uuid.UUID] = []
    if reading.error is None:
        values |= {"seen_at": reading.at, "read_at": reading.at, "total": reading.total}
        changed = _fold_all(connection, key, reading)
    connection.execute(update(schedule_stores).where(*is_it).values(values))
    is_shown = (known.error, known.total) != (reading.error, values.get("total", known.total))
    if not changed and not is_shown and known.read_at is not None:
        return None
    return Folded(changed, feeds.advance(connection, reading.key.project_id))


def count_missed(connection: Connection, now: int) -> dict[uuid.UUID, tuple[list[uuid.UUID], int]]:
    """Count the schedules that did not run when they were due, once for each due time.

    A schedule is missed when it was read, as it is, more than `GRACE_US` after it was due and after
    the time that its store may take to tell a run. Return the rows and the feed's offset of each
    project.
    """
    rows = connection.execute(
        select(schedules, schedule_stores.c.read_at, schedule_stores.c.lag_s)
        .join(
            schedule_stores,
            and_(
                schedule_stores.c.project_id == schedules.c.project_id,
                schedule_stores.c.scheduler == schedules.c.scheduler,
                schedule_stores.c.store == schedules.c.store,
            ),
        )
        .where(
            schedules.c.enabled,
            schedules.c.gone_at.is_(None),
            schedules.c.next_run_at < now - GRACE_US,
            or_(schedules.c.missed_at.is_(None), schedules.c.missed_at < schedules.c.next_run_at),
            schedule_stores.c.error.is_(None),
            schedule_stores.c.read_at > schedules.c.next_run_at,
        )
    ).all()
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in rows:
        if row.read_at < row.next_run_at + GRACE_US + row.lag_s * 1_000_000:
            continue
        connection.execute(
            update(schedules)
            .where(schedules.c.id == row.id)
            .values(misses=schedules.c.misses + 1, missed_at=row.next_run_at)
        )
        found.setdefault(row.project_id, []).append(row.id)
    return {
        project_id: (ids, feeds.advance(connection, project_id))
        for project_id, ids in sorted(found.items())
    }


def _fold_all(connection: Connection, key: dict[str, Any], reading: Reading) -> list[uuid.UUID]:
    rows = connection.execute(
        select(schedules).where(*(schedules.c[name] == value for name, value in key.items()))
    ).all()
    known = {row.schedule: row for row in rows}
    told = {one.schedule: one for one in reading.schedules}
    changed = _add(
        connection, key, [told[name] for name in sorted(told.keys() - known)], reading.at
    )
    values: dict[uuid.UUID, dict[str, Any]] = {}
    for name in told.keys() & known:
        row = known[name]
        different = _different(row, told[name])
        if different:
            changed.append(row.id)
        if different or row.seen_at < reading.at - REFRESH_US:
            values[row.id] = different | {"seen_at": reading.at}
    gone = [row for name, row in known.items() if name not in told and row.gone_at is None]
    if reading.total > len(reading.schedules) and told:
        # Beyond the last that was told, by name and id, nothing is known.
        last = max((one.name, one.schedule) for one in told.values())
        gone = [row for row in gone if (row.name, row.schedule) < last]
    for row in gone:
        values[row.id] = {"gone_at": reading.at}
        changed.append(row.id)
    _set(connection, values)
    return changed


def _add(
    connection: Connection, key: dict[str, Any], told: list[ToldSchedule], at: int
) -> list[uuid.UUID]:
    same = {**key, "first_seen": at, "seen_at": at, "misses": 0}
    rows = [{"id": new_id(), **same, **msgspec.structs.asdict(one)} for one in told]
    if rows:
        connection.execute(insert(schedules), rows)
    return [row["id"] for row in rows]


def _different(row: Row[Any], told: ToldSchedule) -> dict[str, Any]:
    """Return the columns that have to be written."""
    values = {
        name: value
        for name, value in msgspec.structs.asdict(told).items()
        if getattr(row, name) != value
    }
    if row.gone_at is not None:
        values["gone_at"] = None
    drift = _drift(row, told)
    return values if drift is None else values | {"drift_us": drift}


def _drift(row: Row[Any], told: ToldSchedule) -> int | None:
    """Return how late a run was: when it ran less when it was told to be due, in microseconds.

    None where that cannot be told: nothing ran, it ran out of turn, or more than once since.
    """
    ran, due = told.last_run_at, row.next_run_at
    if ran is None or due is None or ran == row.last_run_at or ran < due - EARLY_US:
        return None
    late: int = ran - due
    if row.runs is not None and told.runs is not None:
        return late if told.runs == row.runs + 1 else None
    if told.every_s is not None and late >= told.every_s * 1_000_000:
        return None
    return late


def _set(connection: Connection, values: dict[uuid.UUID, dict[str, Any]]) -> None:
    """Write these columns of these rows; rows with the same columns go together."""
    together: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sorted(values):
        names = tuple(sorted(values[row]))
        given = {f"new_{name}": value for name, value in values[row].items()}
        together.setdefault(names, []).append({"row": row, **given})
    for names, rows in together.items():
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        connection.execute(
            update(schedules).where(schedules.c.id == bindparam("row")).values(new), rows
        )
