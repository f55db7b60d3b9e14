"""Sealed payloads: written with the events that bring them, read for a retry."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from z4j_brain.store.ingest_batch import StoredSeal, TaskKey
from z4j_brain.store.schema import sealed_payloads as table

_KEY = ("project_id", "task_id", "engine")
_REPLACED = ("attempt", "key_id", "envelope", "received_at")


class SealRecord(msgspec.Struct, frozen=True, gc=False):
    """What is known of a task's sealed payload without its cipher text."""

    attempt: int
    key_id: str
    received_at: int


def write(connection: Connection, seals: Mapping[TaskKey, StoredSeal]) -> None:
    """Keep these, each in the place of one of an earlier attempt, in the order of their keys."""
    if not seals:
        return
    connection.execute(
        _upsert(connection.dialect.name == "postgresql"),
        [
            {
                "project_id": key[0],
                "engine": key[1],
                "task_id": key[2],
                "attempt": seals[key].attempt,
                "key_id": seals[key].key_id,
                "envelope": seals[key].envelope,
                "received_at": seals[key].origin.received_at,
            }
            for key in sorted(seals)
        ],
    )


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


def _upsert(is_postgres: bool) -> Any:
    insert = postgresql.insert(table) if is_postgres else sqlite.insert(table)
    return insert.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: insert.excluded[name] for name in _REPLACED},
        where=insert.excluded.attempt >= table.c.attempt,
    )
