"""The writer on real databases: once each, poison aside, nothing lost when the database is away."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, text

from z4j_brain.ingest import waiting
from z4j_brain.ingest.writer import Writer
from z4j_brain.store.database import Database
from z4j_brain.store.schema import (
    events,
    events_rejected,
    feeds,
    gaps,
    issue_counts,
    issues,
    rollups,
    tasks,
    workers,
)
from z4j_core import frames
from z4j_core.events import Kind

Finished = list[tuple[str, bool, str, str | None]]


@pytest.fixture
def finished() -> Finished:
    return []


@pytest.fixture
def write(database: Database, feed: Any, finished: Finished) -> Callable[..., Writer]:
    """Store these frames, as one backlog, and stop; return the writer."""

    def finish(
        connection: Connection,
        worker_row: uuid.UUID,
        command_id: str,
        ok: bool,
        result: str,
        error: str | None,
        at: int,
    ) -> uuid.UUID | None:
        finished.append((command_id, ok, result, error))
        return uuid.UUID(int=7)

    async def run(arrivals: list[Any]) -> Writer:
        writer = Writer(database, feed, replica="me", finish=finish)
        for arrived in arrivals:
            await writer.put(arrived)
        await writer.start()
        await writer.stop(30)
        await asyncio.sleep(0)
        return writer

    return lambda *arrivals: asyncio.run(run(list(arrivals)))


def test_a_batch_is_stored_counted_and_acknowledged(
    record: Any, write: Any, event: Any, feed: Any
) -> None:
    life = [
        event("t1", Kind.PUBLISHED, at=60_000_000),
        event("t1", Kind.STARTED, at=61_000_000),
        event("t1", Kind.FAILED, at=125_000_000, payload={"exception": {"type": "E"}}),
    ]
    writer = write(record.frame(1, *life), record.frame(2, event("t2", Kind.RECEIVED, name=None)))
    assert record.source.acknowledged == [2]
    assert record.rows(workers)[0]["last_frame"] == 2
    assert record.count(events) == 4
    assert {row["task_id"]: row["state"] for row in record.rows(tasks)} == {
        "t1": "failed",
        "t2": "received",
    }
    counted = {row["bucket"]: (row["published"], row["failed"]) for row in record.rows(rollups)}
    assert counted == {60_000_000: (1, 0), 120_000_000: (0, 1)}
    assert {row["writer"] for row in record.rows(rollups)} == {"me"}
    [(project, offset, changes)] = feed.published
    assert (project, offset) == (record.project_id, record.rows(feeds)[0]["position"])
    assert sorted(changes.task_keys) == [("celery", "t1"), ("celery", "t2")]
    assert changes.issues == [row["id"] for row in record.rows(issues)]
    assert writer.counters.events == 4


def test_rollups_add_up_over_batches(record: Any, write: Any, event: Any) -> None:
    write(record.frame(1, event(), event("t2")))
    write(record.frame(2, event("t3"), event("t4", Kind.SUCCEEDED)))
    [row] = record.rows(rollups)
    assert (row["started"], row["succeeded"], row["queue"], row["name"]) == (
        3,
        1,
        "email",
        "app.send",
    )


def test_repeated_frames_are_stored_once(record: Any, write: Any, event: Any) -> None:
    write(record.frame(1, event("a")), record.frame(2, event("b")))
    newer = type(record.source)()
    again = [
        record.frame(1, event("a"), source=newer),
        record.frame(2, event("b"), source=newer),
        record.frame(3, event("c"), source=newer),
        record.frame(3, event("c")),
        record.frame(2, event("b")),
    ]
    writer = write(*again)
    assert Counter(row["task_id"] for row in record.rows(events)) == {"a": 1, "b": 1, "c": 1}
    assert newer.acknowledged == [3]
    assert record.source.acknowledged == [2, 3]
    assert writer.counters.repeated_frames == 4
    assert sum(row["started"] for row in record.rows(rollups)) == 3


def test_a_backlog_that_begins_with_stored_frames_is_stored_once(
    record: Any, write: Any, event: Any
) -> None:
    """Nothing in the backlog itself looks wrong: only the compare-and-set can tell."""
    write(record.frame(1, event("a")), record.frame(2, event("b")))
    write(*(record.frame(seq, event(name)) for seq, name in enumerate("abc", start=1)))
    assert Counter(row["task_id"] for row in record.rows(events)) == {"a": 1, "b": 1, "c": 1}
    assert record.source.acknowledged == [2, 3]


def test_a_hole_in_the_numbers_is_refused(record: Any, write: Any, event: Any) -> None:
    other = type(record.source)()
    write(record.frame(1, event("a")), record.frame(4, event("d"), source=other))
    assert other.refused == ["out_of_order"]
    assert other.acknowledged == []
    assert record.source.acknowledged == [1]
    assert [row["task_id"] for row in record.rows(events)] == ["a"]


def test_a_worker_that_is_gone_is_refused(record: Any, write: Any, event: Any) -> None:
    lost = record.frame(1, event("a"))
    lost.origin = msgspec.structs.replace(lost.origin, worker_row=uuid.uuid4())
    lost.source = type(record.source)()
    write(lost, record.frame(1, event("b")))
    assert lost.source.refused == ["unknown_worker"]
    assert [row["task_id"] for row in record.rows(events)] == ["b"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "not a JSON object"),
        (b"3", "not a JSON object"),
        (b"", "not valid JSON"),
        (b'{"a":', "not valid JSON"),
        (b'{"a":"\xff"}', "not valid JSON"),
        (b'{"a":"\\ud800"}', "not valid JSON"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested too deep"),
    ],
    ids=["list", "number", "empty", "cut", "utf-8", "surrogate", "deep"],
)
def test_a_bad_payload_is_put_aside_and_the_rest_lands(
    record: Any, write: Any, event: Any, payload: bytes, reason: str
) -> None:
    write(record.frame(1, event("a"), event("bad", payload=payload), event("c")))
    assert {row["task_id"] for row in record.rows(events)} == {"a", "c"}
    [rejected] = record.rows(events_rejected)
    assert reason in rejected["reason"]
    assert record.source.acknowledged == [1]


def test_undecodable_events_are_put_aside_without_their_secrets(
    record: Any, write: Any, event: Any
) -> None:
    arrived = record.frame(1, event("a"))
    arrived.undecodable = ["Invalid enum value 'password=hunter2!' at $[0]\0"]
    write(arrived)
    [rejected] = record.rows(events_rejected)
    assert "Invalid enum value" in rejected["reason"]
    assert "hunter2" not in rejected["reason"]
    assert record.source.acknowledged == [1]


def test_nul_characters_are_replaced_everywhere(record: Any, write: Any, event: Any) -> None:
    payload = b'{"args":["a\\u0000\\u0000b","c\\\\u0000"],"parent_id":"p\\u0000"}'
    write(record.frame(1, event("t\0x", name="n\0", queue="\0", payload=payload)))
    [stored] = record.rows(events)
    assert (stored["task_id"], stored["name"], stored["queue"]) == (
        "t\ufffdx",
        "n\ufffd",
        "\ufffd",
    )
    assert msgspec.json.decode(stored["payload"])["args"] == ["a\ufffd\ufffdb", "c\\u0000"]
    [task] = record.rows(tasks)
    assert (task["task_id"], task["parent_id"]) == ("t\ufffdx", "p\ufffd")


def test_secrets_are_taken_out_again(record: Any, write: Any, event: Any) -> None:
    payload = {
        "kwargs": {"password": "hunter2hunter2"},
        "exception": {"type": "E", "message": "at https://u:hunter2hunter2@host/"},
        "traceback": "token=hunter2hunter2",
    }
    write(record.frame(1, event("t1", Kind.FAILED, payload=payload)))
    for table in (events, tasks):
        assert "hunter2" not in str(record.rows(table))
    assert record.count(events) == 1


def test_a_clean_payload_is_stored_byte_for_byte(record: Any, write: Any, event: Any) -> None:
    payload = b'{ "args" : [1, 2.50, "\xc3\xa9\\n"], "deep":{"a":{"b":{"c":{"d":{"e":1}}}}}}'
    write(record.frame(1, event(payload=payload)))
    assert record.rows(events)[0]["payload"].encode() == payload


def test_values_out_of_range_count_as_untold(record: Any, write: Any, event: Any) -> None:
    payload = {
        "eta": -1,
        "published_at": 1 << 63,
        "run_us": 1 << 100,
        "priority": 1 << 20,
        "parent_id": "x" * 300,
        "exception": {"type": "T" * 5_000, "message": "m" * 50_000},
    }
    extremes = event(
        "t" * 255,
        Kind.FAILED,
        at=(1 << 52) - 1,
        attempt=65_535,
        payload=payload,
        queue="\u4e2d" * 255,
    )
    write(record.frame(1, extremes, event("zero", at=0)))
    found = {row["task_id"]: row for row in record.rows(tasks)}
    task = found["t" * 255]
    assert [task[name] for name in ("eta", "published_at", "run_us", "priority")] == [None] * 4
    assert task["parent_id"] is None
    assert task["state_at"] == (1 << 52) - 1
    assert len(task["exception_type"]) == 255
    assert len(task["exception_message"]) <= 4_096
    assert found["zero"]["first_at"] == 0
    assert record.count(events_rejected) == 0


def forbid_poison(database: Database) -> None:
    with database.write() as connection:
        if database.is_postgres:
            connection.execute(
                text("ALTER TABLE tasks ADD CONSTRAINT clean CHECK (task_id NOT LIKE 'poison%')")
            )
        else:
            connection.execute(
                text(
                    "CREATE TRIGGER clean BEFORE INSERT ON tasks WHEN new.task_id LIKE 'poison%'"
                    " BEGIN SELECT RAISE(ABORT, 'no poison here'); END"
                )
            )


def test_what_the_database_refuses_is_found_and_the_rest_lands(
    record: Any, database: Database, write: Any, event: Any
) -> None:
    forbid_poison(database)
    arrivals = []
    for seq in range(1, 9):
        names = [f"t{seq}-{index}" for index in range(10)]
        if seq in (3, 8):
            names[4] = f"poison{seq}"
        arrivals.append(record.frame(seq, *map(event, names)))
    writer = write(*arrivals)
    assert record.count(events) == 78
    assert record.count(tasks) == 78
    assert sum(row["started"] for row in record.rows(rollups)) == 78
    reasons = [row["reason"] for row in record.rows(events_rejected)]
    assert len(reasons) == 2
    assert all("the database refused it" in reason for reason in reasons)
    assert record.source.acknowledged == [8]
    assert record.rows(workers)[0]["last_frame"] == 8
    assert writer.counters.failures == 0
    assert writer.counters.rejected == len(reasons) > 0
    assert writer.counters.events == record.count(events) > 0


def test_failures_count_once_though_frames_repeat_and_poison_is_found(
    record: Any, database: Database, write: Any, event: Any
) -> None:
    forbid_poison(database)

    def failed(seq: int, *names: str) -> Any:
        return record.frame(seq, *(event(name, Kind.FAILED) for name in names))

    write(failed(1, "a", "b"), failed(2, "c", "poison", "d"))
    write(failed(1, "a", "b"), failed(2, "c", "poison", "d"), failed(3, "e"))
    [issue] = record.rows(issues)
    assert (issue["count"], issue["last_task_id"]) == (5, "e")
    [hour] = record.rows(issue_counts)
    assert (hour["failed"], hour["issue"]) == (5, issue["id"])
    assert {row["issue"] for row in record.rows(tasks)} == {issue["id"]}


def test_a_frame_that_is_refused_as_a_whole_does_not_wedge_its_worker(
    record: Any, database: Database, write: Any, event: Any
) -> None:
    with database.write() as connection:
        if database.is_postgres:
            connection.execute(text("ALTER TABLE gaps ADD CHECK (count < 100)"))
        else:
            connection.execute(
                text(
                    "CREATE TRIGGER small BEFORE INSERT ON gaps WHEN new.count >= 100"
                    " BEGIN SELECT RAISE(ABORT, 'too many'); END"
                )
            )
    good, bad = record.frame(1), record.frame(2)
    good.gap = frames.Gap(1, 99, {"started": 99}, 1, 2, "full")
    bad.gap = frames.Gap(2, 100, {"started": 100}, 1, 2, "full")
    write(good, bad, record.frame(3, event("a")))
    assert [row["count"] for row in record.rows(gaps)] == [99]
    assert [row["task_id"] for row in record.rows(events)] == ["a"]
    [rejected] = record.rows(events_rejected)
    assert "the whole frame" in rejected["reason"]
    assert record.source.acknowledged == [3]


def test_results_finish_commands_and_are_redacted(
    record: Any, write: Any, finished: Finished, feed: Any
) -> None:
    first, second, third = record.frame(1), record.frame(2), record.frame(3)
    first.result = frames.Result(1, "c1", True, b'{"password":"hunter2hunter2","n":"\\u0000"}')
    second.result = frames.Result(2, "c2", False, b"null", "no: password=hunter2hunter2\0")
    third.result = frames.Result(3, "c3", True, b"{nonsense")
    write(first, second, third)
    assert [one[:2] for one in finished] == [("c1", True), ("c2", False), ("c3", True)]
    assert "hunter2" not in str(finished)
    assert "\0" not in str(finished)
    assert finished[2][2] == "null"
    assert feed.published[0][2].commands == [uuid.UUID(int=7)]
    assert record.source.acknowledged == [3]


def test_a_feed_that_fails_does_not_stop_the_record(
    record: Any, database: Database, event: Any
) -> None:
    class Broken:
        def publish(self, *_: object) -> None:
            raise RuntimeError("the hub is broken")

    async def run() -> None:
        writer = Writer(database, Broken(), replica="me", finish=lambda *_: None)
        await writer.start()
        await writer.put(record.frame(1, event()))
        await writer.stop(30)
        await asyncio.sleep(0)

    asyncio.run(run())
    assert record.source.acknowledged == [1]


def test_links_stop_being_read_when_too_much_waits(
    record: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_BATCH", 10)

    async def run() -> None:
        queue = waiting.Waiting()
        for seq in range(1, 7):
            await queue.put(record.frame(seq, *[event()] * 5))
        blocked = asyncio.create_task(queue.put(record.frame(7, event())))
        await asyncio.sleep(0.01)
        assert not blocked.done()
        taken = await asyncio.to_thread(queue.take, 1.0)
        assert [one.seq for one in taken] == [1, 2]
        await asyncio.wait_for(blocked, 60)
        assert queue.weight == 21

    asyncio.run(run())


def test_bytes_are_bounded_as_well(record: Any, event: Any) -> None:
    async def run() -> None:
        queue = waiting.Waiting()
        frame = record.frame(1, event())
        frame.size = waiting.MAX_BATCH_BYTES
        for _ in range(3):
            await queue.put(frame)
        blocked = asyncio.create_task(queue.put(frame))
        await asyncio.sleep(0.01)
        assert not blocked.done()
        assert len(await asyncio.to_thread(queue.take, 1.0)) == 1
        await asyncio.wait_for(blocked, 60)

    asyncio.run(run())
