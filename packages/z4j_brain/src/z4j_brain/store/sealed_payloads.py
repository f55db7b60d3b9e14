"""Sealed payloads: written with the events that bring them, read for a retry."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from z4j_brain.store.ingest_batch import StoredSeal, TaskKey
from z4j_brain.store.schema import sealed_payloads as table
from z4j_brain.store.types import to_datetime

_INSERT = (
    "INSERT INTO sealed_payloads"
    " (project_id, engine, task_id, attempt, key_id, envelope, received_at) "
)
_LATEST_STAYS = (
    " ON CONFLICT (project_id, task_id, engine) DO UPDATE SET attempt = excluded.attempt,"
    " key_id = excluded.key_id, envelope = excluded.envelope, received_at = excluded.received_at"
    " WHERE excluded.attempt >= sealed_payloads.attempt"
)
_SQLITE = f"{_INSERT} VALUES (?, ?, ?, ?, ?, ?, ?) {_LATEST_STAYS}"
# `%b`: sent as they are, not as hexadecimal in quotes.
_ARRAYS = (
    "%b::uuid[], %b::text[], %b::text[], %b::integer[], %b::text[], %b::bytea[], %b::timestamptz[]"
)
_POSTGRES = f"{_INSERT} SELECT * FROM unnest({_ARRAYS}) {_LATEST_STAYS}"  # noqa: S608 - our own


class SealRecord(msgspec.Struct, frozen=True, gc=False):
    """What is known of a task's sealed payload without its cipher text."""

    attempt: int
    key_id: str
    received_at: int


def write(connection: Connection, seals: Mapping[TaskKey, StoredSeal]) -> None:
    """Keep these, each in the place of one of an earlier attempt, in the order of their keys."""
    if not seals:
        return
    if connection.dialect.name == "postgresql":
        rows = [_row(key, seals[key], key[0], to_datetime) for key in sorted(seals)]
        connection.exec_driver_sql(_POSTGRES, tuple(map(list, zip(*rows, strict=True))))
    else:
        rows = [_row(key, seals[key], key[0].hex, int) for key in sorted(seals)]
        connection.exec_driver_sql(_SQLITE, rows)


def _row(
    key: TaskKey, seal: StoredSeal, project: object, time: Callable[[int], object]
) -> tuple[object, ...]:
    at = time(seal.origin.received_at)
    return (project, key[1], key[2], seal.attempt, seal.key_id, seal.envelope, at)


def find(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str
) -> SealRecord | None:
    """Return what is known of a task's sealed payload, None if there is none."""
    columns = [table.c[name] for name in SealRecord.__struct_fields__]
    row = connection.execute(select(*columns).where(*_is(project_id, engine, task_id))).first()
    return None if row is None else SealRecord(*row)


def envelope(
    connection: Connection, project_id: uuid.UUID, engine: str, task_id: str
) -> bytes | None:
    """Return the cipher text, for an agent and nobody else."""
    found = select(table.c.envelope).where(*_is(project_id, engine, task_id))
    data = connection.execute(found).scalar()
    return None if data is None else bytes(data)


def _is(project_id: uuid.UUID, engine: str, task_id: str) -> tuple[Any, ...]:
    return (
        table.c.project_id == project_id,
        table.c.task_id == task_id,
        table.c.engine == engine,
    )
