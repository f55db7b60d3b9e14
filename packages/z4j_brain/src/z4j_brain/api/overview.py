"""`/projects/{project}/overview`."""

from __future__ import annotations

import msgspec

from z4j_brain.api.context import ProjectCall
from z4j_brain.api.issue_views import IssueSummary, issue_summary
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, millis, now, rfc3339
from z4j_brain.overview.queues import QueueFigures
from z4j_brain.overview.report import MINUTES, Minute, Report, report
from z4j_brain.store.overview import SAMPLE

STATES = (
    "queued",
    "received",
    "running",
    "retrying",
    "succeeded",
    "failed",
    "cancelled",
    "rejected",
)


class Now(msgspec.Struct, frozen=True):
    """Workers and agents now. `workers_lost` are gone while tasks of theirs count as running.

    `lag_ms` is the age of the oldest event that an online worker has not delivered yet.
    """

    workers_online: int
    workers_lost: int
    agents: int
    lag_ms: int | None
    last_event_at: Timestamp | None


class Bucket(msgspec.Struct, frozen=True, omit_defaults=True):
    """The counts of one minute; `partial` while it lasts."""

    at: Timestamp
    succeeded: int
    failed: int
    retried: int
    cancelled: int
    started: int
    partial: bool = False


class QueueRow(msgspec.Struct, frozen=True):
    """One queue; `spark` counts what ended, in 30 steps of two minutes."""

    engine: str
    queue: str
    waiting: int
    running: int
    succeeded: int
    failed: int
    wait_p50_ms: int | None
    wait_p95_ms: int | None
    run_p50_ms: int | None
    run_p95_ms: int | None
    spark: list[int]


class NoticeView(msgspec.Struct, frozen=True):
    """One thing to look at."""

    kind: str
    level: str
    text: str
    since: Timestamp | None


class Overview(msgspec.Struct, frozen=True):
    """One hour of a project.

    `totals`: unfinished states count tasks now, finished ones those of the window. Percentiles
    look at the `sample` tasks of the window that ended last. `issues` are the open ones that failed
    in the window: regressed ones first, then new ones, then the most frequent of a day.
    """

    offset: int
    generated_at: Timestamp
    window_s: int
    sample: int
    totals: dict[str, int]
    now: Now
    series: list[Bucket]
    queues: list[QueueRow]
    issues: list[IssueSummary]
    notices: list[NoticeView]


@route("GET", "/projects/{project}/overview", permission="project.read")
async def read_overview(call: ProjectCall) -> Overview:
    """Read the state of a project and its last hour."""
    return _view(await call.brain.database.run(report, call.project.id, now()))


def _view(found: Report) -> Overview:
    present = found.present
    return Overview(
        offset=found.offset,
        generated_at=rfc3339(found.now),
        window_s=MINUTES * 60,
        sample=SAMPLE,
        totals={state: found.totals.get(state, 0) for state in STATES},
        now=Now(
            present.workers_online,
            present.workers_lost,
            present.agents,
            millis(present.lag_us),
            rfc3339(present.last_event_at),
        ),
        series=[_bucket(minute) for minute in found.series],
        queues=[_queue(figures) for figures in found.queues],
        issues=[issue_summary(one) for one in found.issues],
        notices=[
            NoticeView(one.kind, one.level, one.text, rfc3339(one.since)) for one in found.notices
        ],
    )


def _bucket(minute: Minute) -> Bucket:
    return Bucket(
        rfc3339(minute.at),
        minute.succeeded,
        minute.failed,
        minute.retried,
        minute.cancelled,
        minute.started,
        minute.is_partial,
    )


def _queue(figures: QueueFigures) -> QueueRow:
    wait, run = figures.wait, figures.run
    return QueueRow(
        engine=figures.engine,
        queue=figures.queue,
        waiting=figures.waiting,
        running=figures.running,
        succeeded=figures.succeeded,
        failed=figures.failed,
        wait_p50_ms=millis(wait.p50) if wait else None,
        wait_p95_ms=millis(wait.p95) if wait else None,
        run_p50_ms=millis(run.p50) if run else None,
        run_p95_ms=millis(run.p95) if run else None,
        spark=figures.spark,
    )
