"""What one transaction of the ingest stores, as plain values."""

from __future__ import annotations

from uuid import UUID

import msgspec

from z4j_brain.store.issue_rows import HourKey, IssueKey, IssueRow
from z4j_brain.store.schema import COUNTS
from z4j_core.events import Kind, WireEvent
from z4j_core.fold import TaskRow

TaskKey = tuple[UUID, str, str]
"""Project, engine, task id."""
RollupKey = tuple[UUID, int, str, str, str]
"""Project, start of the minute in microseconds, engine, queue, task name."""

COUNTED_KINDS = tuple(Kind(name) for name in COUNTS)
"""The kinds that a rollup counts, in the order of its columns."""

MINUTE_US = 60_000_000
Minute = tuple[UUID, int]
"""Project, start of the minute in microseconds."""


class StalePosition(Exception):
    """Somebody else has stored frames of these workers since; nothing was stored."""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where and when a frame arrived: what all its events have in common."""

    project_id: UUID
    worker_row: UUID
    received_at: int


class StoredEvent(msgspec.Struct, gc=False):
    """One event to append; `payload` is redacted JSON without NUL characters."""

    origin: Origin
    event: WireEvent
    payload: bytes


class StoredSeal(msgspec.Struct, frozen=True, gc=False):
    """What an agent sealed with one attempt of a task; nothing here can open `envelope`."""

    origin: Origin
    attempt: int
    key_id: str
    envelope: bytes


class Mark(msgspec.Struct, gc=False):
    """The committed position of one worker: before and after this transaction."""

    expected: int
    position: int
    last_event_at: int | None


class RejectedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that cannot be stored; `reason` holds nothing of its content."""

    origin: Origin
    reason: str


class StoredGap(msgspec.Struct, frozen=True, gc=False):
    """A hole in a worker's events, as the agent told it. Times in microseconds."""

    origin: Origin
    count: int
    kinds: dict[str, int]
    since: int
    until: int
    reason: str


class StoredResult(msgspec.Struct, frozen=True, gc=False):
    """What became of a command; `result` is redacted JSON text."""

    origin: Origin
    command_id: str
    ok: bool
    result: str
    error: str | None


class Batch(msgspec.Struct):
    """Everything of one transaction. `issue_hours` counts failures and retried attempts."""

    marks: dict[UUID, Mark] = {}
    events: list[StoredEvent] = []
    tasks: dict[TaskKey, TaskRow] = {}
    seals: dict[TaskKey, StoredSeal] = {}
    rollups: dict[RollupKey, list[int]] = {}
    issues: dict[IssueKey, IssueRow] = {}
    issue_hours: dict[HourKey, list[int]] = {}
    rejected: list[RejectedEvent] = []
    gaps: list[StoredGap] = []
    results: list[StoredResult] = []
    projects: set[UUID] = set()

    @property
    def minutes(self) -> set[Minute]:
        """The minutes in which something was counted."""
        return {(project_id, bucket) for project_id, bucket, *_ in self.rollups}
