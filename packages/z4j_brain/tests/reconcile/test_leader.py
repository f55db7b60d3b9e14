"""One leads; when its connection dies another does."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.reconcile.leader import LockHolder, leader_of
from z4j_brain.reconcile.reconciler import Reconciler
from z4j_brain.settings import load
from z4j_brain.store.database import Database
from z4j_brain.store.leadership import present_leader
from z4j_brain.store.schema import tasks

KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"


def leader_in(database: Database) -> str | None:
    with database.read() as connection:
        found = present_leader(connection)
        return found.replica if found else None


def kill(database: Database, replica: str) -> None:
    with database.write() as connection:
        killed = connection.execute(text(KILL), {"name": f"z4j leader {replica}"}).scalars()
        assert list(killed) == [True]


def test_on_sqlite_the_only_process_leads(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path / 'z4j.db'}")
    leader = leader_of(database, "a")
    assert leader.hold()
    leader.release()
    assert leader.hold()
    assert leader_in(database) is None
    database.close()


def test_one_of_two_leads_until_it_lets_go(postgres_record: Any) -> None:
    database = postgres_record.database
    first, second = LockHolder(database, "a"), LockHolder(database, "b")
    assert [first.hold(), second.hold(), first.hold(), second.hold()] == [True, False, True, False]
    assert leader_in(database) == "a"
    first.release()
    assert second.hold()
    assert leader_in(database) == "b"
    assert not first.hold()
    second.release()
    first.release()
    assert leader_in(database) is None


def test_a_lost_connection_is_a_lost_leadership(postgres_record: Any) -> None:
    database = postgres_record.database
    first, second = LockHolder(database, "a"), LockHolder(database, "b")
    assert first.hold()
    assert not second.hold()
    kill(database, "a")
    while not second.hold():  # the server needs a moment to let go of the lock
        time.sleep(0.01)
    assert not first.hold()
    assert not first.hold(), "on a new connection, behind the second"
    assert leader_in(database) == "b"
    first.release()
    second.release()


def test_a_database_that_is_away_has_no_leader(own_postgres: Any) -> None:
    database = Database(own_postgres.create_database())
    leader = LockHolder(database, "a")
    assert leader.hold()
    own_postgres.stop()
    assert not leader.hold()
    assert not leader.hold()
    own_postgres.start()
    assert leader.hold()
    leader.release()
    database.close()


async def until(holds: Any) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - the counters of another task tell no event
            await asyncio.sleep(0.02)


def test_two_replicas_do_the_work_once_and_the_other_takes_over(postgres_record: Any) -> None:
    record, database = postgres_record, postgres_record.database
    record.live("old", 40, "published")

    async def play() -> None:
        settings = load({}).settings
        one, other = (
            Reconciler(database, settings, replica=name, tick_s=0.05, first_s=0.0)
            for name in ("a", "b")
        )
        await one.start()
        await until(lambda: one.counters.rounds)
        await other.start()
        assert record.count(tasks) == 0
        await asyncio.sleep(0.3)
        assert one.counters.is_leader
        assert (other.counters.is_leader, other.counters.rounds) == (False, 0)
        record.live("older", 50, "published")
        kill(database, "a")
        await until(lambda: other.counters.rounds or one.counters.elections > 1)
        # The one that lost its connection learns it at its own next round.
        await until(lambda: one.counters.is_leader != other.counters.is_leader)
        if other.counters.is_leader:
            await until(lambda: record.count(tasks) == 0)
        leader, follower = (other, one) if other.counters.is_leader else (one, other)
        await leader.stop()
        await until(lambda: follower.counters.is_leader)
        await follower.stop()

    asyncio.run(play())
    assert leader_in(database) is None


def test_a_step_that_fails_keeps_no_other_from_its_turn(
    record: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record.live("old", 40, "published")

    def fail(*_: object) -> int:
        raise RuntimeError("hush")

    monkeypatch.setattr("z4j_brain.store.partitions.create_ahead", fail)

    async def play() -> Reconciler:
        reconciler = Reconciler(record.database, load({}).settings, replica="a", first_s=60.0)
        await reconciler.start()
        assert await reconciler.round()
        await reconciler.stop()
        return reconciler

    counters = asyncio.run(play()).counters
    assert (counters.failures, counters.rounds, counters.is_leader) == (1, 1, False)
    assert counters.last_round_at is not None
    assert record.count(tasks) == 0
    assert "partitions ahead failed" in caplog.text
    assert "hush" not in caplog.text


def test_tasks_are_judged_only_when_all_has_been_well_for_the_grace(
    record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("z4j_brain.reconcile.reconciler.time.monotonic", lambda: now[0])
    settings = load({"Z4J_PROBE_GRACE_S": "60"}).settings
    parts: Any = object()
    reconciler = Reconciler(record.database, settings, replica="a", commands=parts, hub=parts)

    def judges() -> bool:
        return "stuck tasks" in reconciler._all_steps()

    async def fail() -> bool:
        raise RuntimeError("the database was away")

    assert not judges(), "workers need time to connect after a start"
    now[0] += 61
    assert judges()
    assert asyncio.run(reconciler._try("a step", fail))
    assert not judges()
    now[0] += 61
    assert judges()
    count = reconciler.counters.steps["a step"]
    assert (count.runs, count.failures) == (1, 1)
