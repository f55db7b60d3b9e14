"""Day partitions: idempotent, safe for two at once, and made on demand."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.ingest.preparing import prepare
from z4j_brain.ingest.transaction import Transactions
from z4j_brain.store.database import Database
from z4j_brain.store.partitions import DAY_US, ensure_partitions, partition_of
from z4j_brain.store.schema import events, metadata

LAST_MOMENT = 1_700_006_399_999_999
"""The last microsecond of 2023-11-14, UTC."""


def leaves(database: Database) -> list[str]:
    with database.read() as connection:
        found = connection.execute(
            text("SELECT relid::regclass::text FROM pg_partition_tree('events') WHERE isleaf")
        )
        return sorted(found.scalars())


def test_names_are_days_in_utc() -> None:
    assert partition_of(LAST_MOMENT) == "events_p20231114"
    assert partition_of(LAST_MOMENT + 1) == "events_p20231115"


def test_days_ahead_are_made_once(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        metadata.create_all(connection)
    for _ in range(2):
        with database.write() as connection:
            until = ensure_partitions(connection, LAST_MOMENT)
    assert until == LAST_MOMENT + 1 + 3 * DAY_US
    if database.is_postgres:
        assert leaves(database) == [f"events_p202311{day}" for day in (14, 15, 16, 17)]
    database.close()


def test_several_processes_at_once(postgres: Any) -> None:
    url = postgres.create_database()
    database = Database(url)
    with database.write() as connection:
        metadata.create_all(connection)
    errors: list[BaseException] = []

    def make() -> None:
        try:
            with database.write() as connection:
                ensure_partitions(connection, LAST_MOMENT, days_ahead=10)
        except BaseException as error:  # noqa: BLE001 - the thread hands it over
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(leaves(database)) == 11
    database.close()
    postgres.drop_database(url)


@pytest.mark.parametrize("far", [DAY_US * 30])
def test_a_batch_over_midnight_and_far_ahead_finds_its_partitions(
    record: Any, database: Database, event: Any, far: int
) -> None:
    transactions = Transactions(database, "me", lambda *_: None)
    arrivals = []
    for seq, at in enumerate((LAST_MOMENT, LAST_MOMENT + 1, LAST_MOMENT + far), start=1):
        arrived = record.frame(seq, event(f"t{seq}"))
        arrived.origin = record.origin(at)
        arrivals.append(arrived)
    transactions.commit(prepare(arrivals[:2]))
    transactions.commit(prepare(arrivals[2:]))
    transactions.close()
    assert [row["received_at"] for row in record.rows(events)] == [
        LAST_MOMENT,
        LAST_MOMENT + 1,
        LAST_MOMENT + far,
    ]
