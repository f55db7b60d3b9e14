"""Workers as the API and the live feed show them."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from z4j_brain.api.task_views import TaskSummary
from z4j_brain.api.times import Timestamp, millis, rfc3339
from z4j_brain.store.workers import EngineName, WorkerRecord


class AgentOfWorker(msgspec.Struct, frozen=True):
    """The agent whose token a worker uses."""

    id: uuid.UUID
    name: str


class _WorkerFields(msgspec.Struct, frozen=True, kw_only=True):
    id: uuid.UUID
    worker_id: str
    epoch: str
    agent: AgentOfWorker
    host: str
    pid: int
    role: str
    framework: str | None
    engines: list[EngineName]
    agent_version: str
    python_version: str
    online: bool
    first_seen: Timestamp
    last_seen: Timestamp
    ended_at: Timestamp | None
    lag_ms: int | None
    outbox_events: int
    dropped: int
    cpu_percent: float | None
    rss_bytes: int | None
    clock_offset_ms: int | None
    processed: int


class WorkerView(_WorkerFields, frozen=True, kw_only=True):
    """One process incarnation; `running` counts the tasks that it runs now."""

    running: int


class WorkerDetail(_WorkerFields, frozen=True, kw_only=True):
    """One process incarnation, with the tasks that it runs now and what its plugins complain of."""

    plugin_errors: list[str]
    running: list[TaskSummary]


def worker_view(worker: WorkerRecord) -> WorkerView:
    """Return the view of a worker in a list."""
    return WorkerView(**_fields(worker), running=worker.running)


def worker_detail(worker: WorkerRecord, running: list[TaskSummary]) -> WorkerDetail:
    """Return the view of one worker."""
    return WorkerDetail(**_fields(worker), plugin_errors=worker.plugin_errors[:32], running=running)


def _fields(worker: WorkerRecord) -> dict[str, Any]:
    same = (
        "id",
        "worker_id",
        "epoch",
        "host",
        "pid",
        "role",
        "framework",
        "engines",
        "agent_version",
        "python_version",
        "online",
        "outbox_events",
        "dropped",
        "cpu_percent",
        "rss_bytes",
        "processed",
    )
    return {name: getattr(worker, name) for name in same} | {
        "agent": AgentOfWorker(worker.agent_id, worker.agent_name),
        "first_seen": rfc3339(worker.first_seen),
        "last_seen": rfc3339(worker.last_seen),
        "ended_at": rfc3339(worker.ended_at),
        "lag_ms": millis(worker.lag_us),
        "clock_offset_ms": millis(worker.clock_offset_us),
    }
