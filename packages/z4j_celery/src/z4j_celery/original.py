"""A task's message as the bytes that an agent seals (`docs/sealed.md`), and back.

Sealed messages are kept for as long as their tasks: append fields with defaults, change none.
"""

from __future__ import annotations

import msgspec

from z4j_celery.memory import Message


class _Original(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The fields of `Message`; `is_text` tells which of its two types the body had."""

    name: str
    queue: str | None
    body: bytes
    is_text: bool
    content_type: str
    content_encoding: str | None
    priority: int | None
    parent_id: str | None
    root_id: str | None
    time_limits: tuple[float | None, float | None]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Original).decode


def pack(message: Message) -> bytes:
    """Return a message as bytes."""
    body = message.body
    return _encode(
        _Original(
            message.name,
            message.queue,
            body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body),
            isinstance(body, str),
            message.content_type,
            message.content_encoding,
            message.priority,
            message.parent_id,
            message.root_id,
            message.time_limits,
        )
    )


def unpack(data: bytes) -> Message:
    """Return the message of these bytes; raise `ValueError`, which quotes nothing of them."""
    try:
        found = _decode(data)
        body = found.body.decode("utf-8", "surrogatepass") if found.is_text else found.body
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no message of this version: {type(error).__name__}") from None
    return Message(
        name=found.name,
        queue=found.queue,
        body=body,
        content_type=found.content_type,
        content_encoding=found.content_encoding,
        priority=found.priority,
        parent_id=found.parent_id,
        root_id=found.root_id,
        time_limits=found.time_limits,
    )
