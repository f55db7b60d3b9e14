"""What is too old goes, what is not stays, whatever the database."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import event, select, text

from z4j_brain.reconcile.retention import KEPT, RULES
from z4j_brain.settings import load
from z4j_brain.store import expiry, schema, users
from z4j_brain.store.partitions import partition_of
from z4j_brain.store.schema import commands, events, gaps, metadata, rollups, tasks, workers
from z4j_brain.store.types import new_id
from z4j_core.seal import Envelope


def run(record: Any, **variables: str) -> bool:
    return bool(asyncio.run(record.everything(**variables)))


def test_every_table_has_a_rule_or_is_kept_on_purpose() -> None:
    ruled = [rule.table.name for rule in RULES]
    assert sorted([*ruled, *KEPT]) == sorted(metadata.tables)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"events": 30, "tasks": 30, "workers": 30, "commands": 90, "rollups": 2}),
        (
            {"Z4J_EVENT_RETENTION_DAYS": "100"},
            {"events": 100, "tasks": 100, "gaps": 100, "commands": 100, "rollups": 2},
        ),
        (
            {"Z4J_EVENT_RETENTION_DAYS": "7", "Z4J_TASK_RETENTION_DAYS": "400"},
            {"events": 7, "tasks": 400, "workers": 400, "commands": 400, "rollups": 2},
        ),
        (
            {"Z4J_EVENT_RETENTION_DAYS": "0", "Z4J_TASK_RETENTION_DAYS": "5"},
            {"events": None, "gaps": None, "tasks": 5, "workers": None, "rollups": 2},
        ),
        ({"Z4J_TASK_RETENTION_DAYS": "0"}, {"events": 30, "tasks": None, "commands": None}),
        ({}, {"rollup_summaries": 730}),
        ({"Z4J_ROLLUP_DAY_RETENTION_DAYS": "1"}, {"rollup_summaries": 60}),
        ({"Z4J_ROLLUP_MINUTE_RETENTION_DAYS": "0"}, {"rollups": None, "rollup_summaries": None}),
    ],
)
def test_days_follow_the_settings(variables: dict[str, str], expected: dict[str, Any]) -> None:
    settings = load(variables).settings
    days = {rule.table.name: rule.days(settings) for rule in RULES}
    assert {name: days[name] for name in expected} == expected
    assert (days["sessions"], days["sign_in_failures"], days["rate_limits"]) == (0, 1, 0)


def test_old_events_and_tasks_go_and_young_ones_stay(record: Any) -> None:
    record.live("old", 40, "published", "started", "succeeded")
    record.live("young", 29, "published", "started", "succeeded")
    assert run(record)
    assert record.column(tasks.c.task_id) == ["young"]
    assert set(record.column(events.c.task_id)) == {"young"}
    if record.database.is_postgres:
        assert partition_of(record.at(40)) not in record.partitions()
        assert record.counters.partitions_dropped >= 1
    else:
        assert record.counters.deleted["events"] == 3
    assert record.counters.deleted["tasks"] == 1


def test_it_may_be_repeated_and_nothing_is_left_to_do(record: Any) -> None:
    record.live("old", 40, "published")
    run(record)
    before = (dict(record.counters.deleted), record.counters.partitions_dropped)
    assert run(record)
    assert (record.counters.deleted, record.counters.partitions_dropped) == before
    assert record.counters.failures == 0


def test_zero_keeps_for_ever(record: Any) -> None:
    record.live("old", 400, "published", "succeeded")
    assert run(record, event_retention_days="0")
    assert record.count(events) == 2
    assert record.count(tasks) == 1


def test_a_task_is_as_old_as_its_last_event(record: Any) -> None:
    record.live("long", 60, "published", "started")
    record.live("long", 3, "succeeded")
    assert run(record)
    assert record.column(tasks.c.task_id) == ["long"]
    assert record.count(events) == 1


def test_an_open_task_stays_while_it_is_heard_of_or_waits_for_its_time(record: Any) -> None:
    record.live("silent", 40, "published", "started")
    record.live("heard", 2, "published", "started")
    record.tell(
        40,
        record.event("waits", "published", 40, payload=_eta(record.at(-20))),
        record.event("waited", "published", 40, payload=_eta(record.at(35))),
    )
    assert run(record)
    assert record.column(tasks.c.task_id) == ["heard", "waits"]


def test_many_rows_go_in_batches(record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 7)
    names = [f"t{number:02}" for number in range(20)]
    record.tell(40, *(record.event(name, "succeeded", 40) for name in names))
    record.live("young", 1, "succeeded")
    assert run(record)
    assert record.counters.deleted["tasks"] == 20
    assert record.column(tasks.c.task_id) == ["young"]
    assert set(record.column(events.c.task_id)) == {"young"}


def test_a_step_ends_in_time_and_tells_that_something_is_left(
    record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 1)
    monkeypatch.setattr("z4j_brain.reconcile.steps.STEP_S", 0.0)
    record.live("old", 40, "published")
    assert not run(record)
    monkeypatch.setattr("z4j_brain.reconcile.steps.STEP_S", 10.0)
    assert run(record)
    assert record.count(tasks) == 0


def test_old_tasks_are_found_by_an_index(record: Any) -> None:
    seen: list[tuple[str, Any]] = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    rule = next(one for one in RULES if one.table is tasks)
    names = [f"t{number:04}" for number in range(3_000)]
    record.tell(1, *(record.event(name, "succeeded", 1) for name in names))
    with record.database.write() as connection:
        connection.execute(text("ANALYZE"))
        event.listen(connection.engine, "before_cursor_execute", remember)
        expiry.delete_batch(
            connection, tasks, rule.conditions, rule.order, record.at(30), record.project_id
        )
        event.remove(connection.engine, "before_cursor_execute", remember)
        (statement, parameters), *_ = seen
        prefix = "EXPLAIN " if record.database.is_postgres else "EXPLAIN QUERY PLAN "
        plan = connection.exec_driver_sql(prefix + statement, parameters).all()
    assert "ix_tasks_recent" in str(plan), plan


def test_a_row_that_is_being_changed_is_left_for_later(postgres_record: Any) -> None:
    record = postgres_record
    record.live("busy", 40, "published")
    record.live("idle", 40, "published")
    with record.database.write() as connection:
        connection.execute(
            tasks.update().where(tasks.c.task_id == "busy").values(last_at=record.now)
        )
        assert run(record)
        assert record.counters.deleted["tasks"] == 1
    assert record.column(tasks.c.task_id) == ["busy"]


def test_rollups_gaps_and_rejected(record: Any) -> None:
    counted = {"project_id": record.project_id, "engine": "e", "queue": "q", "name": "n"}
    counted |= {"writer": "w", "succeeded": 1}
    record.add(rollups, *(counted | {"bucket": record.at(days)} for days in (91, 61, 5, 1)))
    gap = {
        "project_id": record.project_id,
        "worker_row": record.w1,
        "count": 1,
        "kinds": {},
        "reason": "full",
    }
    for days in (31, 29):
        at = record.at(days)
        record.add(gaps, {**gap, "id": new_id(), "since": at, "until": at, "received_at": at})
        record.add(
            schema.events_rejected,
            {
                "id": new_id(),
                "project_id": record.project_id,
                "worker_row": record.w1,
                "received_at": at,
                "reason": "no JSON",
            },
        )
    assert run(record)
    assert record.column(rollups.c.bucket) == [record.at(1)]
    queues = schema.rollup_summaries.c.scope == "queue"
    with record.database.read() as connection:
        found = connection.execute(select(schema.rollup_summaries.c.resolution).where(queues))
        assert sorted(found.scalars()) == ["day", "day", "hour"]
    assert record.column(gaps.c.received_at) == [record.at(29)]
    assert record.column(schema.events_rejected.c.received_at) == [record.at(29)]


def test_commands_go_when_they_have_ended(record: Any) -> None:
    _command(record, "old", 91, state="succeeded", ended_at=record.at(91))
    _command(record, "open", 91, state="pending")
    _command(record, "young", 60, state="failed", ended_at=record.at(60))
    assert run(record)
    assert record.column(commands.c.action) == ["open", "young"]


def test_bulk_runs_go_with_their_members_when_they_have_ended(record: Any) -> None:
    with record.database.write() as connection:
        user = users.create(
            connection,
            email="a@example.org",
            name="Ada",
            password_hash="x",
            is_admin=True,
            now=record.now,
        )
    words = dict.fromkeys(("engine", "action", "params", "filter", "canary_then"), "x")
    numbers = dict.fromkeys(("rate", "canary_percent", "canary_max_failed_percent"), 1.0)
    counts = {"canary_patience_s": 1, "skip_retried": True, "matching": 1}
    for name, days_ago, has_ended in (("old", 91, True), ("open", 91, False), ("new", 60, True)):
        run_id, at = new_id(), {"created_at": record.at(days_ago)}
        state = (
            {"state": "done", "ended_at": record.at(days_ago)} if has_ended else {"state": "canary"}
        )
        owner = {"project_id": record.project_id, "created_by": user.id}
        known = words | numbers | counts | owner | {"ended_at": None} | state
        record.add(schema.bulk_runs, {"id": run_id} | at | known | {"action": name})
        member = {"run_id": run_id, "number": 1, "task_id": name, "state": "waiting"}
        record.add(schema.bulk_members, member | at)
    assert run(record)
    assert record.column(schema.bulk_members.c.task_id) == ["new", "open"]
    assert record.column(schema.bulk_runs.c.action) == ["new", "open"]


def test_workers_go_when_nothing_names_them(record: Any) -> None:
    record.add_worker("gone", 31, online=False)
    record.add_worker("lately", 29, online=False)
    record.add_worker("linked", 31, online=True)
    named = record.add_worker("named", 31, online=False)
    _command(record, "retry", 60, state="succeeded", ended_at=record.at(60), sent_to=named)
    assert run(record)
    assert record.column(workers.c.worker_id) == ["lately", "linked", "named", "w1"]


def test_what_signing_in_leaves_behind(record: Any) -> None:
    with record.database.write() as connection:
        user = users.create(
            connection,
            email="a@example.org",
            name="Ada",
            password_hash="x",
            is_admin=True,
            now=record.now,
        )
    for days in (0.5, -0.5):
        record.add(
            schema.sessions,
            {
                "id": new_id(),
                "token_hash": uuid.uuid4().bytes,
                "user_id": user.id,
                "created_at": record.at(8),
                "seen_at": record.at(1),
                "expires_at": record.at(days),
            },
        )
        record.add(
            schema.one_time_tokens,
            {
                "token_hash": uuid.uuid4().bytes,
                "purpose": "setup",
                "created_at": record.at(8),
                "expires_at": record.at(days),
            },
        )
        record.add(
            schema.sign_in_failures,
            {"subject": uuid.uuid4().bytes, "failures": 3, "last_at": record.at(1 + days)},
        )
        record.add(schema.rate_limits, {"subject": uuid.uuid4().bytes, "full_at": record.at(days)})
    assert run(record)
    assert record.column(schema.sessions.c.expires_at) == [record.at(-0.5)]
    assert record.column(schema.one_time_tokens.c.expires_at) == [record.at(-0.5)]
    assert record.column(schema.sign_in_failures.c.last_at) == [record.at(0.5)]
    assert record.column(schema.rate_limits.c.full_at) == [record.at(-0.5)]


def _command(record: Any, action: str, days_ago: float, **fields: Any) -> None:
    row = {
        "id": new_id(),
        "project_id": record.project_id,
        "engine": "celery",
        "action": action,
        "params": "{}",
        "created_at": record.at(days_ago),
        "deadline": record.at(days_ago),
    }
    record.add(commands, row | fields)


def _eta(at: int) -> bytes:
    return b'{"eta": %d}' % at


def test_sealed_arguments_go_with_their_task_and_not_before(record: Any) -> None:
    envelope = Envelope(b"k" * 8, b"p" * 8, b"s" * 16, b"n" * 12, bytes(16)).pack()
    for task_id, days_ago in (("old", 40), ("waiting", 40), ("young", 29)):
        sealed = record.event(task_id, "received", days_ago, sealed=envelope)
        record.tell(days_ago, sealed)
    record.tell(1, record.event("waiting", "started", 1))
    assert run(record)
    assert record.column(schema.sealed_payloads.c.task_id) == ["waiting", "young"]
    assert record.column(tasks.c.task_id) == ["waiting", "young"]
    assert record.counters.deleted["sealed_payloads"] == 1
