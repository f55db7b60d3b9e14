"""The databases' drivers without z4j: how fast the same rows, or one such commit, can be at all."""

from __future__ import annotations

import os
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg

from z4j_brain.store.ingest_batch import Origin, StoredEvent
from z4j_brain.store.ingest_postgres import encode_events
from z4j_brain.store.types import new_id
from z4j_core.events import WireEvent

BATCH = 5_000
COMMITS = 300
ROUNDS = 5
_SYNCED_BYTES = 16_384
_COPY = (
    "COPY copied (project_id, received_at, worker_row, occurred_at, attempt, engine, kind, queue,"
    " name, task_id, payload) FROM STDIN (FORMAT BINARY)"
)
_TABLES = {
    "same": "CREATE TABLE copied (LIKE events INCLUDING ALL)",
    "bare": "CREATE UNLOGGED TABLE copied (LIKE events)",
}
"""One like ours; and one without a log and an index."""
_INSERT = f"INSERT INTO bare VALUES ({'?,' * 10}?)"


def rows_per_s(url: str, folder: Path, sent: Sequence[WireEvent]) -> dict[str, float]:
    """Write the events in large transactions; return rows a second for each kind of table."""
    if url.startswith("postgresql"):
        return _rates_of_copy(url, sent)
    rows = [_rows(batch) for batch in _batches(sent, BATCH)]
    with closing(_bare_sqlite(folder)) as connection:
        begin = time.perf_counter()
        for batch in rows:
            _insert(connection, batch)
        return {"bare": len(sent) / (time.perf_counter() - begin)}


def commit_delays_s(
    url: str, folder: Path, sent: Sequence[WireEvent], per_commit: int
) -> list[float]:
    """Write small transactions one after the other; return how long each took."""
    batches = list(_batches(sent[: COMMITS * per_commit], per_commit))
    if url.startswith("postgresql"):
        buffers = [_encoded(batch) for batch in batches]
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            _create(connection, _TABLES["same"])
            return [_timed(_copy, connection, buffer) for buffer in buffers]
    with closing(_bare_sqlite(folder)) as connection:
        return [_timed(_insert, connection, _rows(batch)) for batch in batches]


def sync_delays_s(folder: Path) -> list[float]:
    """Append to a file and sync it, as often as there are commits; return how long each took."""
    delays = []
    with (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            begin = time.perf_counter()
            file.write(b"\1" * _SYNCED_BYTES)
            os.fdatasync(file.fileno())
            delays.append(time.perf_counter() - begin)
    return delays


def _rates_of_copy(url: str, sent: Sequence[WireEvent]) -> dict[str, float]:
    buffers = [_encoded(batch) for batch in _batches(sent, BATCH)]
    rates = {}
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for name, create in _TABLES.items():
            _create(connection, create)
            rounds = [_timed(_copy_all, connection, buffers) for _ in range(ROUNDS)]
            rates[name] = len(sent) / statistics.median(rounds)
    return rates


def _create(connection: psycopg.Connection, statement: str) -> None:
    connection.execute("DROP TABLE IF EXISTS copied")
    connection.execute(statement)
    connection.commit()


def _copy_all(connection: psycopg.Connection, buffers: list[bytes]) -> None:
    for buffer in buffers:
        _copy(connection, buffer)


def _copy(connection: psycopg.Connection, buffer: bytes) -> None:
    with connection.cursor().copy(_COPY) as stream:
        stream.write(buffer)
    connection.commit()


def _bare_sqlite(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS bare (a, b, c, d, e, f, g, h, i, j, k)")
    return connection


def _insert(connection: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    connection.execute("BEGIN")
    connection.executemany(_INSERT, rows)
    connection.execute("COMMIT")


def _encoded(batch: Sequence[WireEvent]) -> bytes:
    origin = Origin(new_id(), new_id(), time.time_ns() // 1_000)
    return encode_events(StoredEvent(origin, event, event.payload) for event in batch)


def _rows(batch: Sequence[WireEvent]) -> list[tuple[object, ...]]:
    ids = new_id().hex, 1, new_id().hex
    # Without the seal, which has a table of its own.
    return [(*ids, *msgspec.structs.astuple(event)[:-1]) for event in batch]


def _batches(sent: Sequence[WireEvent], size: int) -> Iterator[Sequence[WireEvent]]:
    for start in range(0, len(sent), size):
        yield sent[start : start + size]


def _timed(work: object, *arguments: object) -> float:
    begin = time.perf_counter()
    work(*arguments)  # type: ignore[operator]
    return time.perf_counter() - begin
