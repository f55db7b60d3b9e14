"""What RQ's jobs really did stands in the record, told by workers that fork for every job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from record import expected, wait_for_events
from rq_worker import RqShop
from server import Client, Server
from z4j_brain.store import schema
from z4j_brain.store.database import Database

JOBS = 150
pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def rq_shop(tmp_path: Path, redis_url: str, server: Server, client: Client) -> Iterator[RqShop]:
    shop = RqShop(tmp_path, redis_url, server.url, client.mint("shop"))
    shop.flush()
    yield shop
    shop.stop()


def test_every_event_of_forked_jobs_is_recorded_once(
    rq_shop: RqShop, client: Client, record_url: str
) -> None:
    for number in range(2):
        rq_shop.start_worker(f"w{number}")
    ids = rq_shop.publish(f"publish({JOBS})")
    lost = rq_shop.publish("print(queue().enqueue(killed).id)")
    rq_shop.wait_for_ends(JOBS + 1)
    wanted = expected(rq_shop.truth())
    found = wait_for_events(record_url, wanted)
    assert not (wanted - found), f"lost: {list((wanted - found).items())[:5]}"
    assert not (found - wanted), f"surplus: {list((found - wanted).items())[:5]}"
    compare_times(rq_shop, record_url)
    task = client.project(f"/tasks/rq/{ids[0]}")
    assert task["wait_ms"] >= 0
    assert client.project(f"/tasks/rq/{lost[0]}")["exception_type"] == "WorkHorseLost"


def compare_times(shop: RqShop, record_url: str) -> None:
    """The record's times lie around what the jobs measured; by how much is printed (-s)."""
    times = recorded_times(record_url)
    before, longer = [], []
    for line in Path(f"{shop.truth_file}.times").read_text().splitlines():
        task_id, number, start, end = line.split()
        told, run_us = times[task_id, int(number)]
        before.append(int(start) - told)
        longer.append(run_us - (int(end) - int(start)))
    assert min(before) >= 0
    assert min(longer) >= 0
    for what, values in (("told before it began", before), ("told longer than it ran", longer)):
        values.sort()
        middle, late = values[len(values) // 2], values[len(values) * 99 // 100]
        print(f"{len(values)} runs, µs {what}: median {middle}, p99 {late}, most {values[-1]}")


def recorded_times(record_url: str) -> dict[tuple[str, int], tuple[int, int]]:
    """Return when each attempt began and how long it took, in microseconds."""
    database = Database(record_url)
    columns = schema.events.c
    wanted = [columns.kind, columns.task_id, columns.attempt, columns.occurred_at, columns.payload]
    starts, runs = {}, {}
    try:
        with database.read() as connection:
            for kind, task_id, attempt, at, payload in connection.execute(select(*wanted)):
                if kind == "started":
                    starts[task_id, attempt] = at
                elif kind in ("succeeded", "failed", "retried"):
                    runs[task_id, attempt] = msgspec.json.decode(payload).get("run_us", 0)
    finally:
        database.close()
    return {key: (at, runs[key]) for key, at in starts.items()}
