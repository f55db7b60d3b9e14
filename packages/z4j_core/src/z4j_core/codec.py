"""The two encodings of a frame: MessagePack (`z4j.1`) and JSON (`z4j.1+json`, for debugging)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_core.events import WireEvent
from z4j_core.frames import (
    MAX_EVENTS,
    SUBPROTOCOL,
    SUBPROTOCOL_JSON,
    AnyFrame,
    SendableFrame,
    UnknownFrame,
)

_TAGS = frozenset(
    (
        "hello",
        "welcome",
        "events",
        "ack",
        "command",
        "result",
        "gap",
        "heartbeat",
        "queues",
        "watch",
        "depths",
        "watch_schedules",
        "schedules",
        "error",
    )
) | {"goodbye"}
_EventList = Annotated[list[WireEvent], Meta(max_length=MAX_EVENTS)]
_NOT_DECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class FrameError(ValueError):
    """The bytes are no frame of this protocol; the message is safe to show and to log."""


class Codec:
    """One encoding of frames. Thread-safe: it holds no state between calls."""

    def __init__(self, subprotocol: str, format_: Any) -> None:
        self.subprotocol = subprotocol
        self._encode = format_.Encoder().encode
        self._frame = format_.Decoder(AnyFrame)
        self._events = format_.Decoder(_EventList)
        self._parts = format_.Decoder(list[msgspec.Raw])
        self._any = format_.Decoder()

    def encode(self, frame: SendableFrame) -> bytes:
        """Return the bytes of a frame."""
        encoded: bytes = self._encode(frame)
        return encoded

    def decode(self, payload: bytes | memoryview) -> AnyFrame | UnknownFrame:
        """Return the frame of these bytes; raise `FrameError` for what is no frame."""
        try:
            frame: AnyFrame = self._frame.decode(payload)
        except _NOT_DECODABLE as error:
            return self._unknown(payload, error)
        return frame

    def decode_events(self, raw: msgspec.Raw) -> tuple[list[WireEvent], list[str]]:
        """Return the events of a batch, and for each undecodable one the reason.

        The good events of a batch are never lost with a bad one. Raise `FrameError` when the
        batch itself is no list or is longer than `MAX_EVENTS`.
        """
        try:
            return self._events.decode(raw), []
        except _NOT_DECODABLE:
            return self._decode_one_by_one(raw)

    def _decode_one_by_one(self, raw: msgspec.Raw) -> tuple[list[WireEvent], list[str]]:
        try:
            parts = self._parts.decode(raw)
        except _NOT_DECODABLE as error:
            raise FrameError(f"not a list of events: {error}") from None
        if len(parts) > MAX_EVENTS:
            raise FrameError(f"a batch holds at most {MAX_EVENTS} events, not {len(parts)}")
        good, bad = [], []
        for part in parts:
            try:
                good.append(msgspec.convert(self._any.decode(part), WireEvent))
            except _NOT_DECODABLE as error:
                bad.append(str(error))
        return good, bad

    def _unknown(self, payload: bytes | memoryview, cause: Exception) -> UnknownFrame:
        try:
            tag = self._any.decode(self._parts.decode(payload)[0])
        except (*_NOT_DECODABLE, IndexError):
            tag = None
        if not isinstance(tag, str) or tag in _TAGS:
            raise FrameError(f"not a frame: {cause}") from None
        return UnknownFrame(tag[:64])


MSGPACK = Codec(SUBPROTOCOL, msgspec.msgpack)
JSON = Codec(SUBPROTOCOL_JSON, msgspec.json)
CODECS = {codec.subprotocol: codec for codec in (MSGPACK, JSON)}
