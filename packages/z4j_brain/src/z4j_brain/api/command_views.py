"""Commands as the API and the live feed show them."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from z4j_brain.api.json_text import as_json
from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.store.commands import CommandRow

CommandState = Literal["pending", "sent", "succeeded", "failed", "expired", "refused"]


class CommandTarget(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a command acts on; `worker_id` is a worker's name, or the `id` of one incarnation.

    An action of a scheduler needs its `store`, and one on a schedule the id that this has there.
    """

    task_id: str | None = None
    queue: str | None = None
    worker_id: str | None = None
    schedule: str | None = None
    store: str | None = None


class Asker(msgspec.Struct, frozen=True):
    """Who asked for a command."""

    id: uuid.UUID
    email: str


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """One command. `params` and `result` are shown without secrets."""

    id: uuid.UUID
    action: str
    engine: str
    target: CommandTarget
    params: Any
    state: CommandState
    created_at: Timestamp
    sent_at: Timestamp | None
    ended_at: Timestamp | None
    deadline: Timestamp
    created_by: Asker | None
    result: Any
    error: str | None
    worker: str | None
    bulk_run: uuid.UUID | None


def command_view(row: CommandRow) -> CommandView:
    """Return the view of a command."""
    asker = None
    if row.created_by is not None:
        asker = Asker(row.created_by, row.email or "")
    return CommandView(
        id=row.id,
        action=row.action,
        engine=row.engine,
        target=CommandTarget(
            task_id=row.task_id,
            queue=row.queue,
            worker_id=None if row.target_worker is None else str(row.target_worker),
            schedule=row.schedule,
            store=row.store,
        ),
        params=as_json(row.params),
        state=msgspec.convert(row.state, CommandState),
        created_at=rfc3339(row.created_at),
        sent_at=rfc3339(row.sent_at),
        ended_at=rfc3339(row.ended_at),
        deadline=rfc3339(row.deadline),
        created_by=asker,
        result=as_json(row.result),
        error=row.error,
        worker=row.worker,
        bulk_run=row.bulk_run,
    )
