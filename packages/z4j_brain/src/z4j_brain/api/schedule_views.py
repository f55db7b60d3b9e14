"""Schedules and their stores as the API shows them: times as text, durations in milliseconds."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from z4j_brain.api.actions import AbsentAction, ActionView
from z4j_brain.api.json_text import as_json
from z4j_brain.api.task_views import TaskSummary
from z4j_brain.api.times import Timestamp, millis, rfc3339
from z4j_brain.store.schedules import ScheduleRecord, StoreRecord

Owner = Literal["code", "store"]


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule as it was read at `as_of`.

    `schedule` is its id in its `store`; commands name it by both. `owner` says where the truth
    stands: in the application's code, or in the store itself; `undone_by` what would undo a change
    made here. `missed`: it was due and has not run. `misses` counts the due times at which that was
    so, `missed_at` is the last of them. `drift_ms` is how late the last run was, null where that
    cannot be told. `gone_at` is since when the store no longer has it.
    """

    id: uuid.UUID
    scheduler: str
    store: str
    engine: str
    schedule: str
    name: str
    task: str | None
    queue: str | None
    timing: str
    timezone: str | None
    every_s: float | None
    owner: Owner
    undone_by: str | None
    enabled: bool
    last_run_at: Timestamp | None
    next_run_at: Timestamp | None
    runs: int | None
    missed: bool
    misses: int
    missed_at: Timestamp | None
    drift_ms: int | None
    first_seen: Timestamp
    gone_at: Timestamp | None
    as_of: Timestamp | None


class ScheduleDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule with what it publishes. `values` are what a form for a change begins with,
    without the `hidden` ones, which hold secrets; `absent` says why actions cannot be asked for on
    this very schedule. `runs` are the newest tasks of its task's name, whoever published them.
    """

    schedule: ScheduleView
    arguments: Any
    values: Any
    hidden: list[str]
    absent: dict[str, str]
    runs: list[TaskSummary]


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduler's store. `reader` is the worker that reads it.

    `unread` says that nobody tells how its schedules are now; `error` why the last reading failed;
    `due` how many were due since it was read. `total` counts also schedules that are not told
    because they are too many. `actions` are what online workers offer, `absent` what none does.
    """

    scheduler: str
    store: str
    engine: str
    reader: str | None
    as_of: Timestamp | None
    unread: bool
    error: str | None
    known: int
    total: int
    due: int
    actions: list[ActionView]
    absent: list[AbsentAction]


def schedule_view(found: ScheduleRecord) -> ScheduleView:
    """Return a schedule as the API shows it."""
    return ScheduleView(
        id=found.id,
        scheduler=found.scheduler,
        store=found.store,
        engine=found.engine,
        schedule=found.schedule,
        name=found.name,
        task=found.task,
        queue=found.queue,
        timing=found.timing,
        timezone=found.timezone,
        every_s=found.every_s,
        owner="code" if found.owner == "code" else "store",
        undone_by=found.undone_by,
        enabled=found.enabled,
        last_run_at=rfc3339(found.last_run_at),
        next_run_at=rfc3339(found.next_run_at),
        runs=found.runs,
        missed=found.is_missed,
        misses=found.misses,
        missed_at=rfc3339(found.missed_at),
        drift_ms=millis(found.drift_us),
        first_seen=rfc3339(found.first_seen),
        gone_at=rfc3339(found.gone_at),
        as_of=rfc3339(found.read_at),
    )


def schedule_detail(found: ScheduleRecord, runs: list[TaskSummary]) -> ScheduleDetail:
    """Return a schedule with what it publishes and its runs."""
    return ScheduleDetail(
        schedule=schedule_view(found),
        arguments=as_json(found.arguments),
        values=as_json(found.form),
        hidden=msgspec.json.decode(found.hidden, type=list[str]),
        absent=msgspec.json.decode(found.absent, type=dict[str, str]),
        runs=runs,
    )


def store_view(
    found: StoreRecord, now: int, actions: list[ActionView], absent: list[AbsentAction]
) -> StoreView:
    """Return a store as the API shows it."""
    return StoreView(
        scheduler=found.scheduler,
        store=found.store,
        engine=found.engine,
        reader=found.reader,
        as_of=rfc3339(found.read_at),
        unread=found.is_unread(now),
        error=found.error,
        known=found.known,
        total=found.total,
        due=found.due,
        actions=actions,
        absent=absent,
    )
