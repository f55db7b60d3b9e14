"""The WebSocket endpoint `/ws` for agents, and the round that looks after the links."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from random import Random
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from z4j_brain.auth.rate_limits import RateLimits
from z4j_brain.clock import now
from z4j_brain.ingest.writer import Feed, Writer
from z4j_brain.link import bounded_stream
from z4j_brain.link.admission import Refused, TokenKeys, admit, choose_codec, deny
from z4j_brain.link.codes import UNAVAILABLE
from z4j_brain.link.registry import Registry
from z4j_brain.link.round import Round
from z4j_brain.link.session import Session
from z4j_brain.live.changes import Changes
from z4j_brain.store.database import Database
from z4j_brain.store.workers_write import (
    WorkerLink,
    link_adopted,
    link_closed,
    link_opened,
    revoked_tokens,
)
from z4j_core import frames
from z4j_core.link import CloseReason, LinkError
from z4j_core.link.errors import ADVICE, REVOKED, SHUTDOWN

log = logging.getLogger("z4j.link")

_LINKS_BACK_PER_S = 50
_LEAST_SPREAD_S = 5.0


class LinkCommands(Protocol):
    """What a new link needs of the commands' service."""

    async def link_opened(self, worker_row: UUID) -> None:
        """Send a worker the commands that are open for it."""


class LinkQueues(Protocol):
    """What links tell of queues; nothing of it waits."""

    def told(self, worker_row: UUID, project_id: UUID, queues: frames.Queues) -> None:
        """Take what a worker's process knows now."""

    def sampled(self, worker_row: UUID, project_id: UUID, depths: frames.Depths) -> None:
        """Take samples."""

    def link_ended(self, worker_row: UUID) -> None:
        """Elect others in place of a worker whose link is gone."""


class LinkSchedules(Protocol):
    """What links tell of schedules; nothing of it waits."""

    def told(
        self, worker_row: UUID, project_id: UUID, schedulers: list[frames.SchedulerInfo]
    ) -> None:
        """Take which schedulers a worker's process can read."""

    def read(self, worker_row: UUID, project_id: UUID, schedules: frames.Schedules) -> None:
        """Take a reading."""

    def link_ended(self, worker_row: UUID) -> None:
        """Elect others in place of a worker whose link is gone."""


class Parts(Protocol):
    """The parts of the server that links use: `brain.Brain`."""

    @property
    def database(self) -> Database: ...
    @property
    def keys(self) -> TokenKeys: ...
    @property
    def limits(self) -> RateLimits: ...
    @property
    def hub(self) -> Feed: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def writer(self) -> Writer: ...
    @property
    def commands(self) -> LinkCommands: ...
    @property
    def queues(self) -> LinkQueues: ...
    @property
    def schedules(self) -> LinkSchedules: ...
    @property
    def replica(self) -> str: ...


class Gateway:
    """Serves the links of one process. Everything belongs to one event loop.

    `await start()` before the first link and `await stop()` while the server still serves its
    connections, so that the agents hear a goodbye with a time to come back.
    """

    def __init__(self, brain: Parts) -> None:
        self.database = brain.database
        self.registry = brain.registry
        self.writer = brain.writer
        self.queues = brain.queues
        self.schedules = brain.schedules
        self.replica = brain.replica
        self.cleaner_of = brain.writer.cleaner_of
        self._brain = brain
        self._sessions: set[Session] = set()
        self._round = Round(self, brain.hub)
        self._is_stopping = False
        self._is_empty = asyncio.Event()
        bounded_stream.install()

    @property
    def sessions(self) -> list[Session]:
        """The links that were admitted and have not ended."""
        return list(self._sessions)

    async def start(self) -> None:
        """Mark what a former process left online, and begin the round."""
        await self._round.start()

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Say goodbye to every agent, with return times spread over the links' number."""
        self._is_stopping = True
        self._round.stop()
        spread = max(_LEAST_SPREAD_S, len(self._sessions) / _LINKS_BACK_PER_S)
        random = Random()
        for session in self.sessions:
            wait = round(random.uniform(1.0, spread), 2)
            session.end(CloseReason(SHUTDOWN, "The server restarts.", wait))
        if self._sessions:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._is_empty.wait()

    async def endpoint(self, websocket: WebSocket) -> None:
        """Serve one WebSocket from admission to its end. Never raises for what a peer does."""
        try:
            if self._is_stopping:
                raise Refused(503, SHUTDOWN, "The server restarts: try again soon.", 5)
            codec = choose_codec(websocket)
            admitted = await admit(websocket, self.database, self._brain.keys, self._brain.limits)
        except Refused as refused:
            await deny(websocket, refused)
            return
        except SQLAlchemyError as error:
            log.warning("a link could not be admitted: %s", type(error).__name__)
            await deny(websocket, Refused(503, UNAVAILABLE, "The server's database is away.", 5))
            return
        session = Session(self, websocket, admitted, codec)
        self._sessions.add(session)
        self._is_empty.clear()
        self.registry.admit(session)
        try:
            await websocket.accept(subprotocol=codec.subprotocol)
            await session.run()
        finally:
            self.registry.unregister(session)
            await self._closed(session)
            self._sessions.discard(session)
            if not self._sessions:
                self._is_empty.set()

    async def claim(self, session: Session, worker: WorkerLink) -> UUID:
        """Record that a worker's link is this one; raise `LinkError` for a revoked token.

        An adopter's link is never the worker's own: the worker stays offline.
        """
        row, offset = await self.database.run(
            _claim, session.token_id, session.address, worker, session.is_adoption, write=True
        )
        self._publish(worker.project_id, offset, row)
        return row

    async def opened(self, session: Session, worker_row: UUID) -> None:
        """Take a proven link into the registry and send what waits for its worker."""
        self.registry.register(session, worker_row)
        try:
            await self._brain.commands.link_opened(worker_row)
        except Exception:  # noqa: BLE001 - the events of the worker must flow, whatever its commands do
            log.exception("open commands could not be sent to a new link")

    async def _closed(self, session: Session) -> None:
        row = await session.claimed_row()
        if row is None:
            return
        try:
            offset = await self.database.run(link_closed, row, session.replica, now(), write=True)
        except Exception:  # noqa: BLE001 - the round marks it later, by its silence
            log.warning("a worker could not be marked offline", exc_info=True)
            return
        if offset is not None:
            self._publish(session.admitted.project_id, offset, row)
            self.queues.link_ended(row)
            self.schedules.link_ended(row)

    def _publish(self, project_id: UUID, offset: int, row: UUID) -> None:
        self._brain.hub.publish(project_id, offset, Changes(workers=[row]))


def _claim(
    connection: Connection,
    token_id: UUID,
    address: str | None,
    worker: WorkerLink,
    is_adoption: bool,
) -> tuple[UUID, int]:
    from z4j_brain.store.agent_tokens import touch_token

    if revoked_tokens(connection, [token_id], now()):
        raise LinkError(REVOKED, ADVICE[REVOKED])
    touch_token(connection, token_id, now(), address)
    record = link_adopted if is_adoption else link_opened
    return record(connection, worker, now())
