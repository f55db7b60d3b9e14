"""What the record holds, read from the database itself and not through the server."""

from __future__ import annotations

import time
from collections import Counter

from sqlalchemy import MetaData, select, text

from z4j_brain.store import schema
from z4j_brain.store.database import Database


def recorded_events(database_url: str) -> Counter[tuple[str, str, int]]:
    """Return how often each (kind, task, attempt) stands in the record."""
    database = Database(database_url)
    columns = schema.events.c
    try:
        with database.read() as connection:
            rows = connection.execute(select(columns.kind, columns.task_id, columns.attempt))
            return Counter((kind, task_id, attempt) for kind, task_id, attempt in rows)
    finally:
        database.close()


def wait_for_events(
    database_url: str, wanted: Counter[tuple[str, str, int]], timeout_s: float = 120
) -> Counter[tuple[str, str, int]]:
    """Wait until all the events wanted are in the record, and a second longer for surplus."""
    deadline = time.monotonic() + timeout_s
    while wanted - recorded_events(database_url) and time.monotonic() < deadline:
        time.sleep(0.3)
    time.sleep(1.0)
    return recorded_events(database_url)


def expected(truth: Counter[tuple[str, str, int]]) -> Counter[tuple[str, str, int]]:
    """Return the events that must be in the record, given what the tasks really did."""
    wanted = Counter(truth)
    for (what, task_id, attempt), number in truth.items():
        if what == "started":
            wanted[("published", task_id, attempt)] += number
            wanted[("received", task_id, attempt)] += number
    return wanted


def every_text(database_url: str) -> str:
    """Return all rows of all tables as one text: where a leaked secret would be."""
    database = Database(database_url)
    try:
        with database.read() as connection:
            found = MetaData()
            found.reflect(connection)
            return "\n".join(
                repr(row)
                for table in found.sorted_tables
                for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))
            )
    finally:
        database.close()
