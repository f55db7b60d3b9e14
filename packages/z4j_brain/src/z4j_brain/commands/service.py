"""Commands from the request to the end: mint, deliver, deliver again, give up (docs/commands.md).

One replica owns the commands of a database: it alone holds the real parameters, and the links.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from z4j_brain import clock
from z4j_brain.commands import redelivery, sweep
from z4j_brain.commands.held import Held
from z4j_brain.commands.minting import Minted, MintedBatch, mint
from z4j_brain.commands.request import (
    CommandError,
    CommandRequest,
    Refusal,
    ShownParams,
    shown_params,
)
from z4j_brain.commands.sweep import Ending
from z4j_brain.keys import Keys
from z4j_brain.live.changes import Changes
from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.store import commands, feeds
from z4j_brain.store.commands import CommandRow
from z4j_brain.store.database import Database
from z4j_brain.store.types import new_id

if TYPE_CHECKING:
    from z4j_brain.link.registry import Registry
    from z4j_brain.live.hub import Hub

logger = logging.getLogger("z4j.commands")
SWEEP_EVERY_S = 1.0
MintMany = Callable[[Connection, list[UUID], AbstractSet[UUID], int], MintedBatch]


class Commands:
    """The life of commands. Every method belongs to the event loop. `now` gives microseconds."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        hub: Hub,
        keys: Keys,
        *,
        cleaner_of: Callable[[UUID], Cleaner] = lambda _: BUILT_IN,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._registry = registry
        self._hub = hub
        self._keys = keys
        self._now = now
        self._cleaner_of = cleaner_of
        self._held = Held()
        self._minting: set[UUID] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """End what an earlier process can no longer deliver, and begin to watch deadlines."""
        await self._end(sweep.undeliverable)
        self._sweeper = asyncio.create_task(self._sweep_forever())

    async def stop(self) -> None:
        """Stop watching. Open commands stay open; the next process goes on with them."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
            self._sweeper = None

    async def create(self, request: CommandRequest) -> CommandRow:
        """Store a command and send it if its worker is linked; return its row.

        The same idempotency key with the same request returns the command that there is. Raises
        CommandError. The caller has checked `catalogue.permission_of(request.action)`.
        """
        shown = shown_params(request.params, self._cleaner_of(request.project_id))
        known = await self._known(request, shown)
        if known is not None:
            return known
        if self._held.is_full(len(request.params)):
            raise CommandError(
                Refusal.BUSY, "Too many commands wait for a result. Try again in a minute."
            )
        command_id = new_id()
        self._minting.add(command_id)
        try:
            minted = await self._mint(request, shown, command_id)
            # Before it leaves `_minting`: a redelivery at this moment sees it in one or the other.
            self._held.hold(command_id, minted.frame)
        except IntegrityError:
            known = await self._known(request, shown)
            if known is None:
                raise
            return known
        finally:
            self._minting.discard(command_id)
        return await self._send_first(minted)

    async def create_many(self, work: MintMany, limit: int) -> bool:
        """Store at most `limit` commands in one transaction, and send them.

        `work` gets the connection, as many fresh ids, the linked workers and the time. False when
        there is no room in memory for so many.
        """
        if self._held.is_full(0) or limit < 1:
            return False
        ids = [new_id() for _ in range(limit)]
        self._minting.update(ids)
        try:
            linked = self._registry.online()
            batch = await self._database.run(work, ids, linked, self._now(), write=True)
            for minted in batch.commands:
                self._held.hold(minted.row.id, minted.frame)
        finally:
            self._minting.difference_update(ids)
        if batch.changes is not None:
            self._hub.publish(batch.project_id, batch.offset, batch.changes)
        for minted in batch.commands:
            await self._send_first(minted)
        return True

    async def find(self, project_id: UUID, command_id: UUID) -> CommandRow | None:
        """Return a command of a project."""
        return await self._database.run(commands.find, project_id, command_id)

    async def link_opened(self, worker_row: UUID) -> None:
        """Send again what is open for this worker. Never raises: the sweep tries again."""
        try:
            await self._redeliver(worker_row)
        except Exception:
            logger.exception("could not send open commands again; the next sweep tries")

    async def sweep(self) -> None:
        """Do once what has to be done every second."""
        now, linked = self._now(), self._registry.online()
        due = await self._database.run(sweep.due, now, linked)
        if due.has_overdue:
            await self._end(sweep.end_overdue)
        for worker_row in due.reachable:
            await self._redeliver(worker_row)
        if len(self._held):
            for command_id in await self._database.run(sweep.no_longer_open, self._held.ids()):
                self._held.drop(command_id)

    async def _mint(self, request: CommandRequest, shown: ShownParams, command_id: UUID) -> Minted:
        linked = self._registry.online()
        minted, offset = await self._database.run(
            mint, request, shown, command_id, linked, self._now(), write=True
        )
        self._publish(request.project_id, offset, [command_id])
        return minted

    async def _known(self, request: CommandRequest, shown: ShownParams) -> CommandRow | None:
        if request.idempotency_key is None:
            return None
        row = await self._database.run(
            commands.find_by_key, request.project_id, request.idempotency_key
        )
        if row is None:
            return None
        held = self._held.get(row.id)
        is_same = (
            (row.engine, row.action, row.task_id, row.queue, row.schedule, row.store, row.params)
            == (
                request.engine,
                request.action,
                request.task_id,
                request.queue,
                request.schedule,
                request.store,
                shown.text,
            )
            and (held is None or held.params == request.params)
            and _is_same_worker(row, request.worker)
        )
        if not is_same:
            raise CommandError(
                Refusal.CONFLICT,
                "This Idempotency-Key belongs to another command. Use a new key for a new command.",
            )
        return row

    async def _send_first(self, minted: Minted) -> CommandRow:
        """Hand the command to its worker's link; return its row, which may have to wait."""
        row = minted.row
        if row.state != "sent" or row.sent_to is None:
            return row
        if self._registry.deliver(row.sent_to, minted.frame):
            return row
        offset = await self._database.run(_take_back, row.project_id, row.id, write=True)
        if offset is not None:
            self._publish(row.project_id, offset, [row.id])
        return await self.find(row.project_id, row.id) or row

    async def _redeliver(self, worker_row: UUID) -> None:
        outcome = await self._database.run(
            redelivery.prepare,
            self._keys,
            worker_row,
            self._held,
            self._minting,
            self._now(),
            write=True,
        )
        for frame in outcome.frames:
            self._registry.deliver(worker_row, frame)
        for project_id, offset, ids in outcome.changed:
            self._publish(project_id, offset, ids)

    async def _end(self, work: Ending) -> None:
        held = frozenset(self._held.ids())
        changed = await self._database.run(work, self._keys, held, self._now(), write=True)
        for project_id, offset, ids in changed:
            self._publish(project_id, offset, ids)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.sweep()
            except Exception:
                logger.exception("the sweep of commands failed; trying again")

    def _publish(self, project_id: UUID, offset: int, ids: list[UUID]) -> None:
        self._hub.publish(project_id, offset, Changes(commands=ids))


def _take_back(connection: Connection, project_id: UUID, command_id: UUID) -> int | None:
    if not commands.mark_pending(connection, command_id):
        return None
    return feeds.advance(connection, project_id)


def _is_same_worker(row: CommandRow, named: str | None) -> bool:
    if named is None or row.target_worker is None:
        return named is None and row.target_worker is None
    return named in (str(row.target_worker), row.worker)
