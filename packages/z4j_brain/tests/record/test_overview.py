"""The overview's figures, on both databases, from events that went through ingest."""

from __future__ import annotations

import math
import random
import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from z4j_brain.api.overview import _view
from z4j_brain.overview.queues import SPARKS
from z4j_brain.overview.report import MINUTE_US, report
from z4j_brain.store import overview
from z4j_brain.store.schema import gaps
from z4j_core.events import Kind

S = 1_000_000
MINUTE = 60 * S


@pytest.fixture
def now(noon: int) -> int:
    """Twenty seconds into a minute."""
    return noon // MINUTE_US * MINUTE_US + 20 * S


def run_task(event: Any, task_id: str, at: int, wait: int, run: int, **fields: Any) -> list[Any]:
    kind = fields.pop("kind", Kind.SUCCEEDED)
    return [
        event(task_id, Kind.PUBLISHED, at, **fields),
        event(task_id, Kind.STARTED, at + wait, **fields),
        event(task_id, kind, at + wait + run, data=fields.pop("data", {}), **fields),
    ]


def test_an_empty_project(record: Any, now: int) -> None:
    found = record.read(report, now)
    assert len(found.series) == 60
    assert [minute.is_partial for minute in found.series] == [False] * 59 + [True]
    assert found.series[-1].at == now - 20 * S
    assert found.series[0].at == found.series[-1].at - 59 * MINUTE
    assert {minute.succeeded + minute.started for minute in found.series} == {0}
    assert (found.totals, found.queues, found.issues) == ({}, [], [])
    assert (found.present.workers_online, found.present.agents) == (1, 1)
    shown = msgspec.json.decode(msgspec.json.encode(_view(found)))
    assert shown["totals"]["failed"] == 0
    assert "partial" not in shown["series"][0]
    assert shown["series"][-1]["partial"] is True


def test_figures(record: Any, event: Any, noon: int, now: int) -> None:
    base = now - noon
    error = {"exception": {"type": "ValueError", "message": "x"}}
    record.tell(
        *run_task(event, "a", base - 10 * S, 2 * S, S),
        *run_task(event, "b", base - 3 * MINUTE, 4 * S, 3 * S),
        *run_task(event, "f1", base - 2 * MINUTE, 0, S, kind=Kind.FAILED, data=error),
        *run_task(event, "f2", base - MINUTE, 0, S, kind=Kind.FAILED, data=error),
        *run_task(event, "old", base - 61 * MINUTE, S, S),
        event("gone", Kind.CANCELLED, base - 5 * MINUTE, queue="slow"),
        event("r", Kind.RETRIED, base - MINUTE, queue="slow"),
        event("q1", Kind.PUBLISHED, base),
        event("q2", Kind.RECEIVED, base),
        event("run", Kind.STARTED, base, queue=None, engine="rq"),
    )
    found = record.read(report, now)
    assert found.totals == {
        "queued": 1, "received": 1, "running": 1, "retrying": 1,
        "succeeded": 2, "failed": 2, "cancelled": 1, "rejected": 0,
    }  # fmt: skip
    assert [(row.engine, row.queue, row.waiting, row.running) for row in found.queues] == [
        ("celery", "email", 2, 0),
        ("celery", "slow", 0, 0),
        ("rq", "", 0, 1),
    ]
    email = found.queues[0]
    assert (email.succeeded, email.failed) == (2, 2)
    assert (email.wait, email.run) == (
        overview.Percentiles(0, 4 * S),
        overview.Percentiles(S, 3 * S),
    )
    assert (len(email.spark), sum(email.spark)) == (SPARKS, 4)
    assert sum(minute.succeeded for minute in found.series) == 2
    assert sum(minute.failed for minute in found.series) == 2
    assert sum(minute.retried for minute in found.series) == 1
    assert sum(minute.cancelled for minute in found.series) == 1
    [listed] = found.issues
    issue = listed.issue
    assert (issue.last_name, issue.exception_type, issue.count) == ("app.send", "ValueError", 2)
    assert (issue.last_task_id, issue.last_seen) == ("f2", now - MINUTE + S)
    assert found.present.last_event_at == noon


def test_percentiles_are_those_of_the_definition(
    record: Any, event: Any, noon: int, now: int
) -> None:
    """Nearest rank: the smallest value with at least p of all values at or below it."""
    chance = random.Random(11)
    waits: dict[str, list[int]] = {"odd": [], "even": [], "one": [5]}
    events = run_task(event, "one", now - noon - MINUTE, 5, 1, queue="one")
    for queue, number in (("odd", 21), ("even", 40)):
        for index in range(number):
            wait = chance.randrange(10_000_000)
            waits[queue].append(wait)
            start = now - noon - 2 * MINUTE
            events += run_task(event, f"{queue}-{index}", start, wait, 1, queue=queue)
    record.tell(*events)
    found = record.read(overview.wait_percentiles, now - 60 * MINUTE)

    def nearest(values: list[int], percent: int) -> int:
        return sorted(values)[math.ceil(len(values) * percent / 100) - 1]

    assert found == {
        ("celery", queue): overview.Percentiles(nearest(values, 50), nearest(values, 95))
        for queue, values in waits.items()
    }


def test_notices(record: Any, event: Any, noon: int, now: int) -> None:
    record.change_worker(
        record.w1, last_event_at=now - 200 * S, plugin_errors=["lantern: cannot be imported"]
    )
    lost = record.add_worker("w2", online=False, ended_at=now - 9 * S, last_seen=now - 9 * S)
    record.add_worker("w3", online=False, ended_at=now, last_seen=now)
    record.add_worker("web", role="publisher", first_seen=now - 600 * S)
    record.add_worker("w4", first_seen=now - 10 * S)
    record.tell(event("t", Kind.STARTED, 0), worker=lost)
    record.change_worker(lost, last_event_at=None)
    with record.database.write() as connection:
        connection.execute(
            insert(gaps).values(
                id=uuid.uuid4(),
                project_id=record.project_id,
                worker_row=lost,
                count=1_234,
                kinds={"started": 1_234},
                since=now,
                until=now,
                reason="outbox full",
                received_at=now - 5 * S,
            )
        )
    found = record.read(report, now)
    assert [(one.kind, one.level, one.text) for one in found.notices] == [
        ("worker_lost", "error", "Worker w2 is gone; 1 task still counted as running on it."),
        ("events_dropped", "warning", "Worker w2 dropped 1,234 events: outbox full."),
        ("plugin_error", "warning", "Worker w1: lantern: cannot be imported"),
        ("worker_silent", "info", "No events from worker w1 for 3 min; it is online."),
    ]
    assert (found.present.workers_online, found.present.workers_lost) == (3, 1)


def test_another_project_adds_nothing(record: Any, event: Any, noon: int, now: int) -> None:
    other = record.add_project("other")
    agent = record.add_agent(other, "web")
    worker = record.add_worker("w9", project_id=other, agent_id=agent, plugin_errors=["x"])
    base = now - noon - MINUTE
    record.tell(
        *run_task(event, "a", base, S, S, kind=Kind.FAILED),
        event("b", Kind.STARTED, base),
        worker=worker,
        project_id=other,
    )
    found = record.read(report, now)
    assert (found.totals, found.queues, found.issues) == ({}, [], [])
    assert [one.kind for one in found.notices] == []
    assert found.present.last_event_at is None
