"""One link of one agent: drives `z4j_core.link.Link` over a WebSocket.

All of it runs on the event loop. Frames are read in order; a frame that must be stored goes to the
writer, which may make the reading wait. Writing is done by one flush at a time, so that messages
leave in the order in which they were signed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from z4j_brain import __version__
from z4j_brain.clock import now
from z4j_brain.ingest.arrival import arrival
from z4j_brain.link.admission import Admitted
from z4j_brain.link.clock_offset import one_way
from z4j_brain.link.codes import INTERNAL, UNAVAILABLE, close_code
from z4j_brain.link.greeting import check_hello, worker_link
from z4j_brain.link.outgoing import Outgoing
from z4j_brain.link.registry import AnyWatch
from z4j_brain.link.vitals import Vitals
from z4j_brain.store.ingest_batch import Origin
from z4j_brain.store.workers_write import Pulse, committed_position
from z4j_core import frames
from z4j_core.codec import Codec
from z4j_core.link import HEARTBEAT_S, SILENCE_S, CloseReason, Link, LinkError, State
from z4j_core.link.errors import ADVICE, BAD_FRAME, SHUTDOWN, SILENCE

if TYPE_CHECKING:
    from z4j_brain.link.gateway import Gateway

log = logging.getLogger("z4j.link")

HELLO_S = 10.0
_GOODBYE_S = 5.0
_RETRY_S = 5.0
_SILENCE_US = SILENCE_S * 1_000_000
_HEARTBEAT_US = HEARTBEAT_S * 1_000_000
_MAX_REASON_BYTES = 120
_MAX_COMPLAINTS = 20
"""Of an agent, that one link may bring to our log."""


class Session:
    """The brain's end of one link. `worker_row` is known once the link is proven."""

    def __init__(
        self, gateway: Gateway, websocket: WebSocket, admitted: Admitted, codec: Codec
    ) -> None:
        self.admitted = admitted
        self.worker_id = ""
        self.worker_row: UUID | None = None
        self.is_adoption = False
        self.link = Link.for_brain(
            admitted.signing_key, secrets.token_bytes(frames.NONCE_BYTES), codec
        )
        self.replica = f"{gateway.replica}/{secrets.token_hex(4)}"
        self.address = websocket.client.host if websocket.client else None
        self._gateway = gateway
        self._websocket = websocket
        self._vitals = Vitals()
        self._origin: Origin | None = None
        self._scope = asyncio.timeout(None)
        self._reason: CloseReason | None = None
        self._outgoing = Outgoing(websocket, self.link)
        self._is_storing = False
        self._opened_at = self._beat_at = now()
        self._clock_offset: int | None = None
        self._claim: asyncio.Future[UUID] | None = None
        self._complaints = 0

    @property
    def token_id(self) -> UUID:
        """The token that admitted this link."""
        return self.admitted.token_id

    @property
    def agent_id(self) -> UUID:
        """The agent that it belongs to."""
        return self.admitted.agent_id

    # ---- called by the registry, the writer and the gateway's round ------------------------

    def send_command(self, command: frames.Command) -> bool:
        """Send a command; tell whether the link is open."""
        return self._send(command)

    def send_watch(self, watch: AnyWatch) -> bool:
        """Say what to sample or to read; tell whether the link is open."""
        return self._send(watch)

    def _send(self, frame: frames.Command | AnyWatch) -> bool:
        if self.link.state is not State.OPEN or self._reason is not None:
            return False
        self.link.send(frame, now())
        self._outgoing.flush_soon()
        return True

    def acknowledge(self, position: int) -> None:
        """Tell the agent what is committed, as far as this link has received it."""
        self._outgoing.acknowledge(position)

    def refuse(self, code: str, detail: str) -> None:
        """End the link because its frames cannot be stored."""
        self.end(CloseReason(code, detail))

    def end(self, reason: CloseReason) -> None:
        """End the link soon, with a goodbye; only the first reason counts."""
        if self._reason is not None:
            return
        self._reason = reason
        try:
            self._scope.reschedule(0)
        except RuntimeError:  # not begun, or over: `run` looks at the reason itself
            log.debug("a link was told to end outside of its life")

    def tick(self, at: int) -> None:
        """Send a heartbeat when it is due; end a link that is silent, stuck or never proven."""
        if self._reason is not None or self.link.state is not State.OPEN:
            return
        # While the writer makes us wait we do not listen: that silence is our own.
        is_silent = not self._is_storing and at - self._vitals.heard_at > _SILENCE_US
        is_stuck = self._outgoing.stuck_for_us(at) > _SILENCE_US
        is_unproven = self.worker_row is None and at - self._opened_at > _SILENCE_US
        if is_silent or is_stuck or is_unproven:
            self.end(CloseReason(SILENCE, ADVICE[SILENCE]))
        elif at - self._beat_at >= _HEARTBEAT_US:
            self._beat_at = at
            self.link.send(frames.Heartbeat(at), at)
            self._outgoing.flush_soon()

    def take_pulse(self) -> Pulse | None:
        """Return what is new of the worker, if anything."""
        if self.worker_row is None or self._reason is not None or self.is_adoption:
            return None
        return self._vitals.take_pulse(self.worker_row, self.admitted.project_id, self.replica)

    # ---- the link's life -------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the link until it ends, and say why."""
        reason: CloseReason | None = None
        try:
            async with self._scope:
                reason = await self._converse()
        except TimeoutError:
            reason = self._reason or CloseReason(SILENCE, ADVICE[SILENCE])
        except LinkError as error:
            reason = CloseReason(error.code, error.detail)
        except WebSocketDisconnect:
            reason = None
        except SQLAlchemyError as error:
            log.warning("a link could not be served by the database: %s", type(error).__name__)
            reason = CloseReason(UNAVAILABLE, "The server's database is away.", _RETRY_S)
        except Exception:  # noqa: BLE001 - a defect; the agent connects again
            log.exception("a link failed")
            reason = CloseReason(INTERNAL, "The server failed; its log says why.")
        self._reason = self._reason or reason or CloseReason("closed", "")
        if reason is not None:
            await self._close(self._reason)

    async def claimed_row(self) -> UUID | None:
        """Return the worker's row, also when the link ended while it was being claimed."""
        if self._claim is None:
            return None
        try:
            return await self._claim
        except Exception:  # noqa: BLE001 - the claim failed, and with it the link; `run` has reported it
            log.debug("a link ended without its worker's row", exc_info=True)
            return None

    async def _converse(self) -> CloseReason | None:
        if self._reason is not None:
            return self._reason
        hello = await self._greet()
        if hello is None:
            return None
        while True:
            message = await self._receive()
            at = now()
            received = self.link.receive(message, at)
            self._vitals.heard(at)
            if self.link.is_proven and self._origin is None:
                self._origin = await self._prove(hello)
            for frame in received:
                if isinstance(frame, frames.Goodbye):
                    return None
                await self._take(frame, len(message), at)
            await self._outgoing.flush()

    async def _greet(self) -> frames.Hello | None:
        """Exchange hello and welcome; return the hello unless the agent left."""
        async with asyncio.timeout(HELLO_S):
            message = await self._receive()
        at = now()
        [hello] = self.link.receive(message, at)
        if not isinstance(hello, frames.Hello):
            return None
        check_hello(hello)
        position = await self._gateway.database.run(
            committed_position, self.agent_id, hello.worker_id, hello.epoch
        )
        self.worker_id, self.is_adoption = hello.worker_id, hello.adopted
        self._clock_offset = one_way(hello.now, at).sure_us if hello.now else None
        self._outgoing.start_at(position)
        self._vitals.heard(at)
        self.link.welcome(hello, position, self.admitted.project, __version__, now())
        await self._outgoing.flush()
        return hello

    async def _prove(self, hello: frames.Hello) -> Origin:
        """Claim the worker's row: from now on this is its link."""
        worker = worker_link(
            hello,
            self.admitted,
            self.replica,
            self._clock_offset,
            self._gateway.cleaner_of(self.admitted.project_id),
        )
        # Shielded: when the link ends meanwhile, its end waits for the claim and undoes it.
        self._claim = asyncio.ensure_future(self._gateway.claim(self, worker))
        self.worker_row = worker_row = await asyncio.shield(self._claim)
        if not self.is_adoption:
            await self._gateway.opened(self, worker_row)
            project_id = self.admitted.project_id
            self._gateway.schedules.told(worker_row, project_id, hello.schedulers)
        return Origin(self.admitted.project_id, worker_row, now())

    async def _take(self, frame: object, size: int, at: int) -> None:
        if isinstance(frame, frames.RawEvents | frames.Result | frames.Gap) and self._origin:
            origin = msgspec.structs.replace(self._origin, received_at=at)
            arrived = arrival(frame, self.link.codec, self, origin, self.worker_id, size)
            self._is_storing = True
            try:
                await self._gateway.writer.put(arrived)
            finally:
                self._is_storing = False
                self._vitals.heard(now())
        elif isinstance(frame, frames.Heartbeat):
            self._vitals.beat(frame, at)
        elif isinstance(frame, frames.Queues | frames.Depths | frames.Schedules):
            self._take_told(frame)
        elif isinstance(frame, frames.UnknownFrame):
            detail = f"This server does not know frames of the kind {frame.name!r}."
            self.link.send(frames.Error("unknown_frame", detail), at)
        elif isinstance(frame, frames.Error) and self._complaints < _MAX_COMPLAINTS:
            self._complaints += 1
            log.warning("agent %s complains: %s: %s", self.agent_id, frame.code, frame.detail)

    def _take_told(self, frame: frames.Queues | frames.Depths | frames.Schedules) -> None:
        if self.worker_row is None or self.is_adoption:
            return
        queues, project_id = self._gateway.queues, self.admitted.project_id
        if isinstance(frame, frames.Schedules):
            self._gateway.schedules.read(self.worker_row, project_id, frame)
        elif isinstance(frame, frames.Queues):
            queues.told(self.worker_row, project_id, frame)
        else:
            queues.sampled(self.worker_row, project_id, frame)

    async def _receive(self) -> bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        data = message.get("bytes")
        if not isinstance(data, bytes):
            raise LinkError(BAD_FRAME, "Send binary messages, also with the JSON sub-protocol.")
        return data

    async def _close(self, reason: CloseReason) -> None:
        if reason.code not in (SHUTDOWN, UNAVAILABLE):
            log.info("link of agent %s ended: %s", self.agent_id, reason.code)
        try:
            async with asyncio.timeout(_GOODBYE_S):
                self.link.close(reason, now())
                await self._outgoing.flush()
                text = reason.code.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
                await self._websocket.close(close_code(reason.code), text)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            log.debug("the agent did not wait for the goodbye")
