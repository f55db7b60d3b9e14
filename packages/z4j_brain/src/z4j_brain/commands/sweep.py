"""The ends that nobody reports: deadlines, and parameters lost in a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.audit.command_ends import given_up
from z4j_brain.keys import Keys
from z4j_brain.store import commands, feeds
from z4j_brain.store.commands import CommandRow

BATCH = 500
LOST_PARAMS = (
    "The server restarted before it could send this command. Its parameters held a secret, which"
    " is never stored, so it cannot be sent now. Nothing was done; ask again."
)
_NEVER_SENT = (
    "The worker {worker} had no link until the deadline, so the command was never sent."
    " Nothing was done; ask again when it is back."
)
_NO_RESULT = (
    "It was sent to {worker}, and no result came before the deadline. Whether it was carried out"
    " is not known; look at its target before you ask again."
)
Changed = tuple[UUID, int, list[UUID]]
"""A project, its feed's new offset, and the commands that changed."""
Ending = Callable[[Connection, Keys, AbstractSet[UUID], int], list[Changed]]
"""Ends commands and returns what changed; takes what is held in memory and the time."""


class Due(msgspec.Struct, frozen=True):
    """What the sweep has to do; reading it takes no write lock."""

    has_overdue: bool
    reachable: list[UUID]


def due(connection: Connection, now: int, linked: AbstractSet[UUID]) -> Due:
    """Tell whether commands are overdue, and which linked workers have some to be sent."""
    pending = commands.open_pending(connection, BATCH)
    reachable = {row.sent_to for row in pending if row.sent_to is not None} & linked
    return Due(bool(commands.overdue(connection, now, 1)), sorted(reachable))


def end_overdue(
    connection: Connection, keys: Keys, held: AbstractSet[UUID], now: int
) -> list[Changed]:
    """End commands past their deadline."""
    ended = [
        row
        for row in commands.overdue(connection, now, BATCH)
        if commands.end(connection, row.id, now=now, state="expired", error=_overdue_text(row))
    ]
    given_up(connection, keys, ended, now)
    return advance_all(connection, ended)


def undeliverable(
    connection: Connection, keys: Keys, held: AbstractSet[UUID], now: int
) -> list[Changed]:
    """End unsent commands whose real parameters were in the memory of a process that is gone."""
    ended = [
        row
        for row in commands.open_pending(connection, BATCH)
        if not row.params_exact
        and row.id not in held
        and commands.end(connection, row.id, now=now, state="failed", error=LOST_PARAMS)
    ]
    given_up(connection, keys, ended, now)
    return advance_all(connection, ended)


def no_longer_open(connection: Connection, ids: list[UUID]) -> list[UUID]:
    """Return those of these commands that need no delivery any more."""
    still_open = commands.which_are_open(connection, ids)
    return [command_id for command_id in ids if command_id not in still_open]


def advance_all(connection: Connection, rows: Iterable[CommandRow]) -> list[Changed]:
    """Advance the feed of every project that these commands belong to, in the order of ids.

    The fixed order keeps two transactions from waiting for each other's rows.
    """
    by_project: dict[UUID, list[UUID]] = {}
    for row in rows:
        by_project.setdefault(row.project_id, []).append(row.id)
    return [
        (project, feeds.advance(connection, project), by_project[project])
        for project in sorted(by_project)
    ]


def _overdue_text(row: CommandRow) -> str:
    text = _NEVER_SENT if row.state == "pending" else _NO_RESULT
    return text.format(worker=row.worker or "a worker")
