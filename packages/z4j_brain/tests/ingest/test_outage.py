"""A database that goes away: nothing is acknowledged, nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from sqlalchemy import text

from services.fixtures import migrated
from z4j_brain.ingest.writer import Writer
from z4j_brain.store.database import Database
from z4j_brain.store.schema import events, rollups, tasks


async def until(is_true: Any) -> None:
    async with asyncio.timeout(60):
        while not is_true():  # noqa: ASYNC110 - the writer's thread has no event for it
            await asyncio.sleep(0.02)


def rename(database: Database, old: str, new: str) -> None:
    with database.write() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_frames_wait_until_the_database_takes_them(
    record: Any, database: Database, event: Any, feed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        writer = Writer(database, feed, replica="me", finish=lambda *_: None)
        await writer.start()
        await writer.put(record.frame(1, event("a")))
        await until(lambda: record.source.acknowledged == [1])
        rename(database, "tasks", "away")
        await writer.put(record.frame(2, event("b")))
        await until(lambda: writer.counters.failures >= 3)
        await writer.put(record.frame(3, event("c")))
        assert record.source.acknowledged == [1]
        assert record.count(events) == 1
        rename(database, "away", "tasks")
        await until(lambda: record.source.acknowledged[-1] == 3)
        await writer.stop()

    with caplog.at_level(logging.INFO):
        asyncio.run(run())
    assert sorted(row["task_id"] for row in record.rows(events)) == ["a", "b", "c"]
    assert sum(row["started"] for row in record.rows(rollups)) == 3
    told = [entry.message for entry in caplog.records if entry.name.startswith("z4j.ingest")]
    assert len([message for message in told if "does not take events" in message]) == 1
    assert told[-1] == "the database takes events again"


def test_stopping_while_the_database_is_away_ends(
    record: Any, database: Database, event: Any, feed: Any
) -> None:
    rename(database, "tasks", "away")

    async def run() -> None:
        writer = Writer(database, feed, replica="me", finish=lambda *_: None)
        await writer.start()
        await writer.put(record.frame(1, event("a")))
        await until(lambda: writer.counters.failures >= 1)
        await writer.stop(0.2)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert record.source.acknowledged == []
    assert record.count(events) == 0


def test_a_commit_whose_answer_is_lost_is_not_repeated(
    record: Any, database: Database, event: Any, feed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server commits, but the connection breaks before it says so."""
    writer = Writer(database, feed, replica="me", finish=lambda *_: None)
    commit = writer._transactions.commit
    answers = iter([ConnectionError("lost"), None, ConnectionError("lost"), None, None])

    def commit_and_lose(batch: Any) -> Any:
        committed = commit(batch)
        error = next(answers)
        if error is not None:
            raise error
        return committed

    monkeypatch.setattr(writer._transactions, "commit", commit_and_lose)

    async def run() -> None:
        await writer.start()
        for seq, name in enumerate("abc", start=1):
            await writer.put(record.frame(seq, event(name)))
            await until(lambda seq=seq: record.source.acknowledged[-1:] == [seq])
        await writer.stop()

    asyncio.run(run())
    assert sorted(row["task_id"] for row in record.rows(events)) == ["a", "b", "c"]
    assert sum(row["started"] for row in record.rows(rollups)) == 3
    announced = {key for _, _, changes in feed.published for key in changes.task_keys}
    assert announced == {("celery", name) for name in "abc"}


def test_a_database_server_that_restarts(
    own_postgres: Any, event: Any, feed: Any, make_record: Any
) -> None:
    database = Database(migrated(own_postgres.create_database()))
    record = make_record(database)

    async def run() -> None:
        writer = Writer(database, feed, replica="me", finish=lambda *_: None)
        await writer.start()
        await writer.put(record.frame(1, event("a")))
        await until(lambda: record.source.acknowledged == [1])
        await asyncio.to_thread(own_postgres.stop)
        await writer.put(record.frame(2, event("b")))
        await until(lambda: writer.counters.failures >= 2)
        own_postgres.start()  # on this thread: the server ends with the thread that started it
        await writer.put(record.frame(3, event("c")))
        await until(lambda: record.source.acknowledged[-1] == 3)
        await writer.stop()

    asyncio.run(run())
    assert sorted(row["task_id"] for row in record.rows(events)) == ["a", "b", "c"]
    assert record.count(tasks) == 3
    database.close()
