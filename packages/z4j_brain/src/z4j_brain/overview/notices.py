"""What somebody should look at now, in sentences."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec
from sqlalchemy import Connection

from z4j_brain.store import overview, queue_flow, schedules, workers
from z4j_brain.store.workers import WorkerRecord

SILENCE_US = 180_000_000
"""How long an online worker may tell of no event before this is worth a line."""
FRESH_US = 3 * 3_600_000_000
"""Samples may be an hour apart by setting."""
LOST_WITHIN_US = 24 * 3_600_000_000
MAX_OF_A_KIND = 20

Level = Literal["error", "warning", "info"]


class Notice(msgspec.Struct, frozen=True):
    """One thing to look at; `kind` is stable, `text` is for people."""

    kind: str
    level: Level
    text: str
    since: int | None


def lost_workers(found: list[WorkerRecord], now: int) -> list[WorkerRecord]:
    """Return the workers that are gone while tasks of theirs still count as running."""
    return [
        worker
        for worker in found
        if not worker.online and worker.running and worker.last_seen > now - LOST_WITHIN_US
    ]


def notices(
    connection: Connection, project_id: uuid.UUID, found: list[WorkerRecord], now: int, since: int
) -> list[Notice]:
    """Return the notices of a project, the gravest first; bounded for each kind.

    `found` are its workers as `store.workers.page` returns them.
    """
    return [
        *map(_lost, lost_workers(found, now)[:MAX_OF_A_KIND]),
        *_gaps(connection, project_id, since),
        *_unconsumed(connection, project_id, now),
        *_missed(connection, project_id),
        *_unread(connection, project_id, now),
        *_plugin_errors(found),
        *_silent(found, now),
    ]


def _lost(worker: WorkerRecord) -> Notice:
    tasks = "1 task" if worker.running == 1 else f"{worker.running} tasks"
    return Notice(
        "worker_lost",
        "error",
        f"Worker {worker.worker_id} is gone; {tasks} still counted as running on it.",
        worker.last_seen,
    )


def _gaps(connection: Connection, project_id: uuid.UUID, since: int) -> list[Notice]:
    return [
        Notice(
            "events_dropped",
            "warning",
            f"Worker {gap.worker} dropped {gap.count:,} events: {gap.reason}.",
            gap.last_at,
        )
        for gap in overview.gap_counts(connection, project_id, since, MAX_OF_A_KIND)
    ]


def _unconsumed(connection: Connection, project_id: uuid.UUID, now: int) -> list[Notice]:
    found = queue_flow.unconsumed(connection, project_id, now - FRESH_US, MAX_OF_A_KIND)
    return [
        Notice(
            "queue_unconsumed",
            "warning",
            f"{one.waiting:,} wait in the queue {one.queue}, and no known worker takes from it.",
            one.sampled_at,
        )
        for one in found
    ]


def _missed(connection: Connection, project_id: uuid.UUID) -> list[Notice]:
    found = schedules.page(
        connection, project_id, schedules.Chosen(missed=True), after=None, limit=MAX_OF_A_KIND
    )
    return [
        Notice(
            "schedule_missed",
            "error",
            f"The schedule {one.name} of {one.scheduler} was due and has not run.",
            one.missed_at,
        )
        for one in found
    ]


def _unread(connection: Connection, project_id: uuid.UUID, now: int) -> list[Notice]:
    """Nobody can tell whether these schedules run: their scheduler itself may be gone."""
    found = schedules.stores(connection, project_id, now)
    return [
        Notice(
            "schedules_unread",
            "warning",
            f"The schedules of {one.scheduler} cannot be read; {one.due:,} of them were due since.",
            one.read_at,
        )
        for one in found
        if one.due and one.is_unread(now)
    ][:MAX_OF_A_KIND]


def _plugin_errors(found: list[WorkerRecord]) -> list[Notice]:
    return [
        Notice(
            "plugin_error",
            "warning",
            f"Worker {worker.worker_id}: {error}",
            worker.first_seen,
        )
        for worker in found
        if worker.online
        for error in worker.plugin_errors[:3]
    ][:MAX_OF_A_KIND]


def _silent(found: list[WorkerRecord], now: int) -> list[Notice]:
    result = []
    for worker in found:
        heard_at = worker.last_event_at or worker.first_seen
        if worker.online and worker.role == "worker" and now - heard_at >= SILENCE_US:
            minutes = (now - heard_at) // 60_000_000
            text = f"No events from worker {worker.worker_id} for {minutes} min; it is online."
            result.append(Notice("worker_silent", "info", text, heard_at))
    return result[:MAX_OF_A_KIND]


def newest_workers(connection: Connection, project_id: uuid.UUID) -> list[WorkerRecord]:
    """Return the workers that the overview looks at: online first, then the last heard."""
    return workers.page(connection, project_id, after=None, limit=1_000)
