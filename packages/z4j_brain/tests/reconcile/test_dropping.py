"""Old partitions on PostgreSQL: dropped one by one, while readers read and ingest goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.store.partitions import (
    DAY_US,
    create_ahead,
    day_of,
    detach_partition,
    old_partitions,
    partition_of,
)
from z4j_brain.store.schema import events


def run(record: Any, **variables: str) -> bool:
    return bool(asyncio.run(record.everything(**variables)))


def test_the_day_of_a_partition() -> None:
    assert day_of("events_p20231114") == 1_699_920_000_000_000
    assert partition_of(day_of("events_p20231114") or 0) == "events_p20231114"
    assert [day_of(name) for name in ("events_p20231399", "events", "tasks")] == [None] * 3


def test_a_partition_goes_when_its_last_moment_is_too_old(postgres_record: Any) -> None:
    record = postgres_record
    record.make_day(10)
    day = day_of(partition_of(record.at(10))) or 0
    with record.database.read() as connection:
        assert old_partitions(connection, day + DAY_US - 1) == []
        assert [old.name for old in old_partitions(connection, day + DAY_US)] == [
            partition_of(record.at(10))
        ]


def test_strangers_tables_are_left_alone(postgres_record: Any) -> None:
    record = postgres_record
    strangers = {"events_p20200231", "events_p2020", "events_p20200101x"}
    with record.database.write() as connection:
        for name in strangers:
            connection.execute(text(f"CREATE TABLE {name} (id int)"))
    assert run(record)
    assert strangers <= record.partitions()


def test_one_that_was_detached_before_a_crash_is_dropped(postgres_record: Any) -> None:
    record = postgres_record
    record.live("old", 40, "published")
    name = partition_of(record.at(40))
    with record.database.write() as connection:
        detach_partition(connection, name)
    assert name in record.partitions()
    assert run(record)
    assert name not in record.partitions()


def test_one_that_is_being_read_is_put_off(
    postgres_record: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = postgres_record
    monkeypatch.setattr("z4j_brain.reconcile.steps.TRIES", 2)
    monkeypatch.setattr("z4j_brain.reconcile.steps._RETRY_S", 0.0)
    record.live("old", 40, "published")
    with record.database.read() as reader:
        reader.execute(events.select()).all()
        assert not run(record)
        assert record.counters.put_off >= 1
        assert partition_of(record.at(40)) in record.partitions()
    assert run(record)
    assert partition_of(record.at(40)) not in record.partitions()
    assert record.counters.failures == 0


def test_partitions_ahead_are_made_by_the_leader(postgres_record: Any) -> None:
    record = postgres_record
    ahead = partition_of(record.at(-3))
    with record.database.write() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {ahead}"))  # not yet there after midnight
    assert run(record)
    assert ahead in record.partitions()
    assert record.counters.partitions_made == 1
    with record.database.write() as connection:
        assert create_ahead(connection, record.now) == 0


def test_ingest_and_reading_go_on_while_partitions_are_dropped(postgres_record: Any) -> None:
    """A long reader holds up the first tries, so that others really queue behind the lock."""
    record = postgres_record
    for days in range(35, 41):
        record.live(f"old{days}", days, "published", "started", "succeeded")
    stop, errors = threading.Event(), list[BaseException]()
    stored, read = list[str](), list[int]()

    def ingest() -> None:
        name = f"young{len(stored)}"
        record.live(name, 0, "published", "succeeded")
        stored.append(name)

    def look() -> None:
        read.append(record.count(events))

    def repeat(work: Callable[[], None]) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - the thread hands it over
            errors.append(error)

    async def drop() -> bool:
        with record.database.read() as reader:
            reader.execute(events.select().limit(1)).all()
            dropping = asyncio.create_task(record.everything())
            await asyncio.sleep(0.4)
            before = len(stored), len(read)
            while not errors and (len(stored) < before[0] + 5 or len(read) < before[1] + 5):
                await asyncio.sleep(0.01)
                if dropping.done():
                    assert not dropping.result(), "the long reader holds it up"
                    dropping = asyncio.create_task(record.everything())
        return bool(await dropping or await record.everything())

    threads = [threading.Thread(target=repeat, args=(work,)) for work in (ingest, look)]
    for thread in threads:
        thread.start()
    try:
        assert asyncio.run(drop())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert not {partition_of(record.at(days)) for days in range(31, 41)} & record.partitions()
    told = record.column(events.c.task_id)
    assert told == sorted([*stored, *stored]), "each of two events, and nothing of old"
