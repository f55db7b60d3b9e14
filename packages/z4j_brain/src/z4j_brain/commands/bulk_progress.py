"""A bulk run between two batches: members gathered, results read, the canary judged, the end."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.audit.author import from_server
from z4j_brain.audit.recording import record
from z4j_brain.commands.bulk_canary import verdict
from z4j_brain.commands.bulk_minting import MAX_REASON
from z4j_brain.commands.bulk_runs import target_of
from z4j_brain.filters import parse_filter
from z4j_brain.keys import Keys
from z4j_brain.store import bulk_members, bulk_runs, feeds
from z4j_brain.store.bulk_estimate import MAX_MEMBERS
from z4j_brain.store.bulk_members import Ended
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.schema import BULK_ENDS
from z4j_core.events import MAX_TASK_ID

GATHERED = 1_000
"""Members that one transaction adds."""
LEAST_CANARY = 10
_READ = 500

Values = dict[str, Any]


class _Made(msgspec.Struct, frozen=True):
    """The part of an engine's answer that names the task it made."""

    task_id: str | None = None


def is_due(connection: Connection, run: BulkRun, now: int) -> bool:
    """Tell whether `move` would change a run; takes no write lock."""
    if run.state == "preparing":
        return True
    if run.outstanding and bulk_members.ended(connection, run.id, 1):
        return True
    return bool(_next(connection, run, now))


def move(connection: Connection, keys: Keys, run_id: UUID, now: int) -> tuple[BulkRun, int] | None:
    """Do what is due; return the run as it is now and the feed's offset, None if nothing was."""
    run = bulk_runs.lock(connection, run_id)
    if run is None:
        return None
    values = (
        _gather(connection, run, now) if run.state == "preparing" else _collect(connection, run)
    )
    moved = msgspec.structs.replace(run, **values)
    values |= _next(connection, moved, now)
    if not values:
        return None
    moved = msgspec.structs.replace(run, **values)
    bulk_runs.change(connection, run_id, **values)
    if moved.ended_at is not None:
        _tell_end(connection, keys, moved, now)
    return moved, feeds.advance(connection, run.project_id)


def _gather(connection: Connection, run: BulkRun, now: int) -> Values:
    where = bulk_members.eligible(
        connection,
        run.project_id,
        parse_filter(run.filter),
        engine=run.engine,
        states=run.states,
        at=run.created_at,
    )
    limit = min(GATHERED, MAX_MEMBERS - run.total)
    found = bulk_members.gather(connection, run, where, limit, now)
    total = run.total + len(found)
    if len(found) == limit and total < MAX_MEMBERS:
        return {"total": total, "walked_at": found[-1][0], "walked_task": found[-1][1]}
    has_canary = run.canary_percent > 0
    size = max(math.ceil(total * run.canary_percent / 100), LEAST_CANARY) if has_canary else 0
    return {
        "total": total,
        "canary_size": min(size, total),
        "canary_passed": not has_canary,
        "state": "canary" if has_canary else "running",
        "started_at": now,
    }


def _collect(connection: Connection, run: BulkRun) -> Values:
    """Write the results that have come; return the counts that changed."""
    if not run.outstanding:
        return {}
    found = bulk_members.ended(connection, run.id, _READ)
    bulk_members.settle(
        connection,
        run.id,
        [
            {
                "number": one.number,
                "state": one.state,
                "reason": None if one.error is None else one.error[:MAX_REASON],
                "made_task_id": _made(one),
                "ended_at": one.ended_at,
            }
            for one in found
        ],
    )
    counts = {name: sum(one.state == name for one in found) for name in BULK_ENDS}
    return {name: getattr(run, name) + number for name, number in counts.items() if number}


def _made(one: Ended) -> str | None:
    """Return which task the engine says it made; an answer of another shape names none."""
    try:
        made = msgspec.json.decode(one.result or "null", type=_Made | None)
    except (msgspec.MsgspecError, RecursionError):
        return None
    task_id = None if made is None else made.task_id
    return task_id if task_id and len(task_id) <= MAX_TASK_ID else None


def _next(connection: Connection, run: BulkRun, now: int) -> Values:
    """Return what changes because nothing is outstanding; nothing when it stays as it is."""
    if run.outstanding or run.state == "preparing":
        return {}
    if run.state == "aborting":
        return {"state": "aborted", "ended_at": now}
    if run.taken >= run.total:
        return {"state": "done", "ended_at": now, "note": None}
    if run.state == "canary" and run.taken >= run.canary_size:
        return verdict(connection, run, now)
    return {}


def _tell_end(connection: Connection, keys: Keys, run: BulkRun, now: int) -> None:
    counts = {name: getattr(run, name) for name in BULK_ENDS}
    record(
        connection,
        from_server(keys),
        f"bulk_run.{run.state}",
        target_of(run),
        project_id=run.project_id,
        after={"total": run.total} | counts | {"not_sent": run.total - run.taken},
        now=now,
    )
