"""What is sent again to a worker whose link has opened."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.audit.command_ends import given_up
from z4j_brain.commands.held import Held
from z4j_brain.commands.minting import task_ref
from z4j_brain.commands.sweep import LOST_PARAMS, Changed, advance_all
from z4j_brain.keys import Keys
from z4j_brain.store import commands, tasks
from z4j_brain.store.commands import CommandRow
from z4j_core.frames import Command


class Redelivery(msgspec.Struct, frozen=True):
    """The frames to send, oldest first, and the feeds that have moved."""

    frames: list[Command]
    changed: list[Changed]


def prepare(
    connection: Connection,
    keys: Keys,
    worker_row: UUID,
    held: Held,
    minting: AbstractSet[UUID],
    now: int,
) -> Redelivery:
    """Return what is open for this worker, marked as sent.

    `held` and `minting` are the service's own, as they change: a command that is being made is sent
    by who makes it. A command whose real parameters are lost is not sent again: one that was never
    sent fails, and one that was sent keeps waiting for its result until its deadline.
    """
    frames: list[Command] = []
    changed: list[CommandRow] = []
    ended: list[CommandRow] = []
    for row in commands.open_of_worker(connection, worker_row):
        if row.id in minting:
            continue
        frame = held.get(row.id) or _rebuilt(connection, row)
        if frame is not None:
            frames.append(frame)
            if commands.mark_sent(connection, row.id, now):
                changed.append(row)
        elif row.state == "pending":
            commands.end(connection, row.id, state="failed", error=LOST_PARAMS, now=now)
            ended.append(row)
    given_up(connection, keys, ended, now)
    return Redelivery(frames, advance_all(connection, changed + ended))


def _rebuilt(connection: Connection, row: CommandRow) -> Command | None:
    """Make the frame anew after a restart; None when the stored parameters are not the real."""
    if not row.params_exact:
        return None
    task = None
    if row.task_id is not None:
        task = tasks.find(connection, row.project_id, row.engine, row.task_id)
    return Command(
        id=str(row.id),
        engine=row.engine,
        action=row.action,
        params=row.params.encode(),
        task=task_ref(connection, row.project_id, row.action, task),
        queue=row.queue,
        deadline=row.deadline,
        schedule=row.schedule,
    )
