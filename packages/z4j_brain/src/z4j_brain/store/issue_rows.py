"""What one transaction of the ingest knows of an issue, and how two of these are joined."""

from __future__ import annotations

from uuid import UUID

import msgspec

IssueKey = tuple[UUID, str]
"""Project, id of the issue."""
HourKey = tuple[UUID, str, int]
"""Project, id of the issue, start of the hour in microseconds."""

HOUR_US = 3_600_000_000
MAX_MESSAGE = 500
OVERFLOW = "overflow"
"""The issue of failures that came while their project's limit left no room for a new one."""


class IssueRow(msgspec.Struct, gc=False, kw_only=True):
    """Failures (`count`) and failed attempts that are tried again (`retried`) of one signature.

    `exception_type`, `title` and `stack` are the same for every failure of a signature. `last_…`
    are those of the newest: the greatest by time, then by the other fields. Times are in
    microseconds; `created_at` is when the server received it.
    """

    exception_type: str
    title: str
    stack: str
    created_at: int
    first_seen: int
    last_seen: int
    last_failed_at: int | None
    count: int
    retried: int
    last_engine: str
    last_task_id: str
    last_name: str
    last_queue: str
    last_message: str

    def join(self, other: IssueRow) -> None:
        """Add what another row of the same issue tells; in any order the result is the same."""
        self.created_at = min(self.created_at, other.created_at)
        self.first_seen = min(self.first_seen, other.first_seen)
        if other.last_failed_at is not None:
            self.last_failed_at = max(self.last_failed_at or 0, other.last_failed_at)
        self.count += other.count
        self.retried += other.retried
        if other.newest > self.newest:
            for name in NEWEST:
                setattr(self, name, getattr(other, name))

    @property
    def newest(self) -> tuple[int | str, ...]:
        """What the newest failure is found by."""
        return (
            self.last_seen,
            self.last_engine,
            self.last_task_id,
            self.last_name,
            self.last_queue,
            self.last_message,
        )


NEWEST = ("last_seen", "last_engine", "last_task_id", "last_name", "last_queue", "last_message")


def as_overflow(row: IssueRow) -> IssueRow:
    """Return the same failures as part of the project's overflow."""
    return msgspec.structs.replace(
        row,
        exception_type="",
        title="Too many different failures",
        stack="These failures differ from all known ones, and came faster than issues are made.",
    )
