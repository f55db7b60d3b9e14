"""The WebSocket endpoint `/ws/dashboard`: one subscription a connection (docs/live.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
from msgspec import Meta
from starlette.websockets import WebSocket, WebSocketDisconnect

from z4j_brain.api.live_views import LiveSource
from z4j_brain.auth import browser
from z4j_brain.live.messages import Topic
from z4j_brain.live.subscription import Close, Subscription

if TYPE_CHECKING:
    from uuid import UUID

    from z4j_brain.brain import Brain

CLOSE_BAD_MESSAGE = 4400
CLOSE_SIGNED_OUT = 4401
CLOSE_NO_PROJECT = 4404
MAX_MESSAGE = 4_096
"""Characters of a client's message."""
SUBSCRIBE_WITHIN_S = 10.0
CHECK_ACCESS_EVERY_S = 30.0
CLOSE_WITHIN_S = 5.0

Endpoint = Callable[[WebSocket], Awaitable[None]]


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """The client's only message. `offset` is that of the lists it shows; None means from now on."""

    project: Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    offset: Annotated[int, Meta(ge=0, lt=1 << 62)] | None = None
    topics: Annotated[list[Topic], Meta(max_length=8)] = msgspec.field(
        default_factory=lambda: list(get_args(Topic))
    )


class _ClosedError(Exception):
    """The connection is to be closed in this way."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


def live_endpoint(brain: Brain) -> Endpoint:
    """Return the endpoint of a server."""
    source = LiveSource(brain.database)

    async def endpoint(websocket: WebSocket) -> None:
        if not browser.is_same_origin(websocket):
            await websocket.close(4403, "the Origin header must name this server")
            return
        await websocket.accept()
        try:
            close = await _serve(brain, source, websocket)
        except _ClosedError as error:
            close = error.close
        except WebSocketDisconnect:
            return
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await websocket.close(close.code, close.reason)

    return endpoint


async def _serve(brain: Brain, source: LiveSource, websocket: WebSocket) -> Close:
    session_id = await _check_access(brain, websocket, None)
    with brain.session_watch.watched(session_id) as ended:
        return await _feed(brain, source, websocket, ended)


async def _feed(
    brain: Brain, source: LiveSource, websocket: WebSocket, ended: asyncio.Event
) -> Close:
    wanted = await _read_subscribe(websocket)
    project_id = await _check_access(brain, websocket, wanted.project)
    subscription = await brain.hub.subscribe(
        source, project_id, frozenset(wanted.topics), wanted.offset
    )
    try:
        return await _first_end(
            _send_all(websocket, subscription),
            _hear_nothing(websocket),
            _give_up(subscription),
            _watch_access(brain, websocket, wanted.project),
            _until_signed_out(ended),
        )
    finally:
        brain.hub.unsubscribe(project_id, subscription)


async def _first_end(*works: Any) -> Close:
    """Run until the first of these ends, with a `Close` or an exception; cancel the others."""
    running = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        close: Close = next(iter(done)).result()
        return close
    finally:
        for work in running:
            work.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _check_access(brain: Brain, websocket: WebSocket, project: str | None) -> UUID:
    session, access = await browser.find_access(brain, websocket, project)
    if session is None:
        raise _ClosedError(CLOSE_SIGNED_OUT, "sign in first")
    if session.owes_second_factor:
        raise _ClosedError(CLOSE_SIGNED_OUT, "set up a second step of sign-in first")
    if project is None:
        return session.id
    if access is None:
        raise _ClosedError(CLOSE_NO_PROJECT, "there is no such project")
    return access.id


async def _read_subscribe(websocket: WebSocket) -> Subscribe:
    try:
        async with asyncio.timeout(SUBSCRIBE_WITHIN_S):
            message = await websocket.receive()
    except TimeoutError:
        raise _ClosedError(CLOSE_BAD_MESSAGE, "send a subscribe message first") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text") or ""
    if len(text) > MAX_MESSAGE:
        raise _ClosedError(CLOSE_BAD_MESSAGE, "the message is too long")
    try:
        return msgspec.json.decode(text, type=Subscribe)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise _ClosedError(CLOSE_BAD_MESSAGE, "the first message must be a subscribe") from None


async def _send_all(websocket: WebSocket, subscription: Subscription) -> Close:
    while True:
        message = await subscription.next()
        if isinstance(message, Close):
            return message
        await websocket.send_text(message.decode())


async def _hear_nothing(websocket: WebSocket) -> Close:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return Close(CLOSE_BAD_MESSAGE, "one subscription a connection; open another one")


async def _give_up(subscription: Subscription) -> Close:
    """End a connection whose last message does not get through."""
    await subscription.closed.wait()
    await asyncio.sleep(CLOSE_WITHIN_S)
    return subscription.close or Close(1011, "ended")


async def _until_signed_out(ended: asyncio.Event) -> Close:
    await ended.wait()
    return Close(CLOSE_SIGNED_OUT, "signed out")


async def _watch_access(brain: Brain, websocket: WebSocket, project: str) -> Close:
    while True:
        await asyncio.sleep(CHECK_ACCESS_EVERY_S)
        try:
            await _check_access(brain, websocket, project)
        except _ClosedError as error:
            return error.close
