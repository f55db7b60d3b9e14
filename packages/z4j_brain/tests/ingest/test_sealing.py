"""Sealed payloads in the record: kept as they came, in bounds, and never a burden to the events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from z4j_brain.ingest.arrival import arrival
from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.writer import Writer
from z4j_brain.store import sealed_payloads
from z4j_brain.store.database import Database
from z4j_brain.store.schema import events, events_rejected, tasks
from z4j_brain.store.schema import sealed_payloads as table
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind
from z4j_core.frames import MAX_EVENTS, RawEvents
from z4j_core.seal import MAX_SEALED, OVERHEAD, Envelope

KEY_ID = bytes.fromhex("ab12cd34ef567890")


def envelope(text: bytes = b"cipher text", key_id: bytes = KEY_ID) -> bytes:
    return Envelope(key_id, bytes(8), b"s" * 16, b"n" * 12, text + bytes(16)).pack()


@pytest.fixture
def store(database: Database, feed: Any) -> Callable[..., None]:
    """Store each of these lists of frames in a transaction of its own."""

    async def run(backlogs: tuple[list[Any], ...]) -> None:
        for arrivals in backlogs:
            writer = Writer(database, feed, replica="me", finish=lambda *_: None)
            for arrived in arrivals:
                await writer.put(arrived)
            await writer.start()
            await writer.stop()

    return lambda *backlogs: asyncio.run(run(backlogs))


def test_an_envelope_is_kept_beside_its_task(record: Any, event: Any, store: Any) -> None:
    sealed = envelope()
    store([record.frame(1, event("t1", Kind.RECEIVED, sealed=sealed), event("t2"))])
    [row] = record.rows(table)
    assert (row["task_id"], row["engine"], row["attempt"]) == ("t1", "celery", 0)
    assert (row["key_id"], bytes(row["envelope"])) == (KEY_ID.hex(), sealed)
    with record.database.read() as connection:
        place = (connection, record.project_id, "celery")
        assert sealed_payloads.envelope(*place, "t1") == sealed
        assert sealed_payloads.envelope(*place, "t2") is None
        found = sealed_payloads.find(*place, "t1")
    assert found == sealed_payloads.SealRecord(0, KEY_ID.hex(), record.origin().received_at)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_latest_attempt_stays_in_any_order(
    record: Any, event: Any, store: Any, order: tuple[int, ...], at_once: bool
) -> None:
    frames = [
        record.frame(
            seq,
            event("t", Kind.RECEIVED, attempt=number, sealed=envelope(b"of %d" % number)),
        )
        for seq, number in enumerate(order, 1)
    ]
    store(*([frames] if at_once else [[frame] for frame in frames]))
    [row] = record.rows(table)
    assert (row["attempt"], bytes(row["envelope"])) == (2, envelope(b"of 2"))


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x01", bytes(OVERHEAD - 1), b"\x02" + bytes(OVERHEAD), b"password=hunter2" * 9],
)
def test_garbage_is_not_kept_and_its_event_is(
    record: Any, event: Any, store: Any, garbage: bytes
) -> None:
    store([record.frame(1, event("t1", sealed=garbage), event("t2", sealed=envelope()))])
    assert {row["task_id"] for row in record.rows(events)} == {"t1", "t2"}
    assert {row["task_id"] for row in record.rows(table)} == {"t2"}
    [rejected] = record.rows(events_rejected)
    assert "its sealed arguments are not kept, the event is" in str(rejected["reason"])
    assert "hunter2" not in str(rejected["reason"])


def test_an_oversized_one_is_refused_with_its_event_before_it_is_looked_at(
    record: Any, event: Any, store: Any
) -> None:
    bad, good = event("bad", sealed=b"\x01" * (MAX_SEALED + 1)), event("good")
    raw = RawEvents(1, msgspec.Raw(msgspec.msgpack.encode([bad, good])))
    arrived = arrival(raw, MSGPACK, record.source, record.origin(), "w1", 100)
    assert [one.task_id for one in arrived.events] == ["good"]
    store([arrived])
    assert record.count(table) == 0
    [rejected] = record.rows(events_rejected)
    assert f"length <= {MAX_SEALED}" in str(rejected["reason"])


def test_thousands_for_one_task_are_one_row_of_the_greatest_size(
    record: Any, event: Any, store: Any
) -> None:
    frames = [
        record.frame(
            seq,
            *(
                event("t", sealed=envelope(b"%d" % (seq * MAX_EVENTS + number)))
                for number in range(MAX_EVENTS)
            ),
        )
        for seq in range(1, 16)
    ]
    store(frames)
    [row] = record.rows(table)
    assert len(row["envelope"]) < 100
    assert record.count(events) == 15 * MAX_EVENTS


def test_more_envelopes_than_a_frame_may_hold_make_no_batch(record: Any, event: Any) -> None:
    many = [event("t", sealed=envelope())] * (MAX_EVENTS + 1)
    raw = RawEvents(1, msgspec.Raw(msgspec.msgpack.encode(many)))
    arrived = arrival(raw, MSGPACK, record.source, record.origin(), "w1", 100)
    assert arrived.events == []
    assert "the whole batch" in arrived.undecodable[0]


def test_events_without_any_touch_no_table_of_seals(record: Any, event: Any) -> None:
    batch = prepare([record.frame(1, event("t1"), event("t2"))])
    assert batch.seals == {}


def test_the_greatest_envelope_comes_back_whole(record: Any, event: Any, store: Any) -> None:
    sealed = envelope(b"x" * (MAX_SEALED - OVERHEAD))
    assert len(sealed) == MAX_SEALED
    store([record.frame(1, event("t", sealed=sealed))])
    with record.database.read() as connection:
        assert bytes(connection.execute(select(table.c.envelope)).scalar_one()) == sealed
        assert connection.execute(select(tasks.c.task_id)).scalar_one() == "t"
