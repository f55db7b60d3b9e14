"""The commands of a bulk run: a batch of members has its turn in one transaction.

A member's command and the note that it had its turn are written together, and the run's row is
locked meanwhile. So whoever is killed, and however many leaders there are for a moment, no member
has two turns.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from z4j_brain.commands.bulk_rights import obstacle
from z4j_brain.commands.catalogue import Catalogue, state_reason
from z4j_brain.commands.minting import Minted, MintedBatch, Minting, mint_on
from z4j_brain.commands.request import CommandError, CommandRequest, ShownParams
from z4j_brain.live.changes import Changes
from z4j_brain.store import actions, bulk_members, bulk_runs, feeds, tasks
from z4j_brain.store.bulk_members import RETRIES
from z4j_brain.store.bulk_runs import BulkRun
from z4j_core.frames import ActionInfo

MAX_REASON = 500
_GONE = "It is not in the record any more."
_RETRIED = "It was retried already, or may have been: a command for it was sent."
_NOBODY = (
    "No worker that offers “{action}” for {engine} is connected. The run goes on with the next."
)

Outcome = tuple[dict[str, Any], Minted | None]


def mint_members(
    connection: Connection,
    ids: list[UUID],
    linked: AbstractSet[UUID],
    now: int,
    *,
    run_id: UUID,
) -> MintedBatch:
    """Give the next members of a run their turn, at most as many as there are `ids`."""
    run = bulk_runs.lock(connection, run_id)
    if run is None or not run.may_send:
        return MintedBatch(UUID(int=0) if run is None else run.project_id)
    if (reason := obstacle(connection, run, now)) is not None:
        return _changed(connection, run, {"state": "paused", "note": reason})
    workers = actions.online_workers(connection, run.project_id)
    catalogue = Catalogue(worker for worker in workers if worker.id in linked)
    offer = catalogue.find(run.engine, run.action)
    if offer is None or offer.info.internal or offer.info.target != "task":
        note = _NOBODY.format(action=run.action, engine=run.engine)
        return _changed(connection, run, {"note": note} if note != run.note else {})
    return _mint(connection, run, ids, offer.info, Minting(catalogue, linked, now))


def _mint(
    connection: Connection, run: BulkRun, ids: list[UUID], info: ActionInfo, minting: Minting
) -> MintedBatch:
    chosen = bulk_members.after(connection, run.id, run.taken, min(len(ids), run.may_send))
    retried: set[str] = set()
    if run.skip_retried and run.action in RETRIES:
        retried = bulk_members.already_retried(connection, run, [task for _, task in chosen])
    outcomes = [
        _turn(connection, run, info, minting, number, task_id, command_id, retried)
        for (number, task_id), command_id in zip(chosen, ids, strict=False)
    ]
    rows = [row for row, _ in outcomes]
    bulk_members.settle(connection, run.id, rows)
    counts = {
        name: getattr(run, name) + sum(row["state"] == name for row in rows)
        for name in ("skipped", "refused")
    }
    minted = [one for _, one in outcomes if one is not None]
    values = counts | {"taken": run.taken + len(rows), "note": None}
    return _changed(connection, run, values, minted)


def _turn(
    connection: Connection,
    run: BulkRun,
    info: ActionInfo,
    minting: Minting,
    number: int,
    task_id: str,
    command_id: UUID,
    retried: set[str],
) -> Outcome:
    def ended(state: str, reason: str) -> Outcome:
        return _row(number, state, reason=reason[:MAX_REASON], ended_at=minting.now), None

    task = tasks.find(connection, run.project_id, run.engine, task_id)
    if task is None:
        return ended("skipped", _GONE)
    if (reason := state_reason(info, task.state)) is not None:
        return ended("skipped", reason)
    if task_id in retried:
        return ended("skipped", _RETRIED)
    request = CommandRequest(
        project_id=run.project_id,
        user_id=run.created_by,
        engine=run.engine,
        action=run.action,
        params=run.params.encode(),
        task_id=task_id,
        # Not ASCII, so no key that a person gives can be the same.
        idempotency_key=f"\N{SECTION SIGN}{run.id}:{number}",
        bulk_run=run.id,
    )
    shown = ShownParams(run.params, is_exact=True)
    try:
        minted = mint_on(connection, minting, request, shown, command_id, task)
    except CommandError as error:
        return ended("refused", error.detail)
    return _row(number, "sent", command_id=command_id), minted


def _row(
    number: int,
    state: str,
    *,
    command_id: UUID | None = None,
    reason: str | None = None,
    ended_at: int | None = None,
) -> dict[str, Any]:
    return {
        "number": number,
        "state": state,
        "command_id": command_id,
        "reason": reason,
        "ended_at": ended_at,
    }


def _changed(
    connection: Connection,
    run: BulkRun,
    values: dict[str, Any],
    minted: list[Minted] | None = None,
) -> MintedBatch:
    if not values:
        return MintedBatch(run.project_id)
    bulk_runs.change(connection, run.id, **values)
    offset = feeds.advance(connection, run.project_id)
    made = minted or []
    changes = Changes(commands=[one.row.id for one in made], bulk_runs=[run.id])
    return MintedBatch(run.project_id, made, offset, changes)
