"""The overview of a project: one hour in minutes, now, queues, issues, notices."""

from __future__ import annotations

import uuid
from collections import Counter

import msgspec
from sqlalchemy import Connection

from z4j_brain.issues.reading import ListedIssue, urgent_issues
from z4j_brain.overview.notices import Notice, lost_workers, newest_workers, notices
from z4j_brain.overview.queues import QueueFigures, queue_figures
from z4j_brain.store import feeds, overview
from z4j_brain.store.overview import MinuteCounts

MINUTE_US = 60_000_000
MINUTES = 60
MAX_ISSUES = 50


class Minute(msgspec.Struct, frozen=True):
    """The counts of one minute; `is_partial` while it lasts."""

    at: int
    succeeded: int
    failed: int
    retried: int
    cancelled: int
    started: int
    is_partial: bool


class Present(msgspec.Struct, frozen=True):
    """Workers and agents now."""

    workers_online: int
    workers_lost: int
    agents: int
    lag_us: int | None
    last_event_at: int | None


class Report(msgspec.Struct, frozen=True):
    """Everything the overview shows. `totals`: unfinished states now, finished in the window."""

    offset: int
    now: int
    totals: dict[str, int]
    present: Present
    series: list[Minute]
    queues: list[QueueFigures]
    issues: list[ListedIssue]
    notices: list[Notice]


def report(connection: Connection, project_id: uuid.UUID, now: int) -> Report:
    """Return the overview at `now` (microseconds), from one snapshot of the record."""
    offset = feeds.position(connection, project_id)
    first_minute = now // MINUTE_US * MINUTE_US - (MINUTES - 1) * MINUTE_US
    counts = overview.minute_counts(connection, project_id, first_minute)
    open_counts = overview.open_counts(connection, project_id)
    found = newest_workers(connection, project_id)
    lags = [worker.lag_us for worker in found if worker.online and worker.lag_us is not None]
    totals: Counter[str] = Counter()
    for one in open_counts:
        totals[one.state] += one.count
    for minute in counts:
        for outcome in ("succeeded", "failed", "cancelled", "rejected"):
            totals[outcome] += getattr(minute, outcome)
    return Report(
        offset=offset,
        now=now,
        totals=dict(totals),
        present=Present(
            workers_online=sum(worker.online for worker in found),
            workers_lost=len(lost_workers(found, now)),
            agents=overview.agent_count(connection, project_id),
            lag_us=max(lags, default=None),
            last_event_at=overview.last_event_at(connection, project_id),
        ),
        series=_series(counts, first_minute),
        queues=queue_figures(
            counts,
            open_counts,
            overview.wait_percentiles(connection, project_id, first_minute),
            overview.run_percentiles(connection, project_id, first_minute),
            first_minute,
        ),
        issues=urgent_issues(connection, project_id, now=now, since=first_minute, limit=MAX_ISSUES),
        notices=notices(connection, project_id, found, now, first_minute),
    )


def _series(counts: list[MinuteCounts], first_minute: int) -> list[Minute]:
    """Return a minute for each of the window, also where nothing happened."""
    names = ("succeeded", "failed", "retried", "cancelled", "started")
    sums: dict[int, Counter[str]] = {
        first_minute + index * MINUTE_US: Counter() for index in range(MINUTES)
    }
    for one in counts:
        # A clock ahead of ours can count into minutes that are yet to come.
        if one.bucket in sums:
            sums[one.bucket].update({name: getattr(one, name) for name in names})
    last = first_minute + (MINUTES - 1) * MINUTE_US
    return [
        Minute(at=at, is_partial=at == last, **{name: sums[at][name] for name in names})
        for at in sorted(sums)
    ]
