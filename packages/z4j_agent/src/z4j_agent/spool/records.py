"""The format of a spool's files: records, each with a length and a checksum, only ever appended.

A record is a head (length of its content, CRC-32 of number, kind and content, kind, number) and
its content. A process that dies while it writes leaves a torn record at the end of a file, which
the checksum tells from a whole one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

import msgspec

from z4j_agent.identity import Identity

VERSION = 1
HEAD = struct.Struct("<IIBQ")
SEALED = struct.Struct("<QQ")
MAX_CONTENT = 2 * 1024 * 1024
"""Bytes; more than the greatest frame. A greater length is damage."""

READ_BYTES = 256 * 1024
GREATEST_NUMBER = 1 << 61
WORD = 0xFFFF_FFFF


class RecordKind(IntEnum):
    """What a record says, and what its number and content are."""

    HEADER = 1
    """The first of every file; content: `Header`."""
    EVENT = 2
    """An accepted event; number: its place in the spool; content: the encoded `WireEvent`."""
    SEAL = 3
    """Frame `number` holds the events from the first to the last of these two numbers."""
    FRAME = 4
    """Frame `number`, a result or gap, whole."""
    LOST = 5
    """All events that were dropped for one reason and are not told; content: `Loss`."""


class Loss(msgspec.Struct, frozen=True):
    """Events that were dropped and of which the server does not know yet."""

    reason: str
    kinds: dict[str, int]
    since: int
    until: int


class Header(msgspec.Struct, frozen=True):
    """How things stood when a file was begun; earlier files are needed only for older events.

    `base` is the newest frame's number, `next_event` the number that the next event gets.
    `restarts` voids all earlier seals and frames, and the events numbered below `floor`.
    """

    identity: Identity
    base: int
    next_event: int
    losses: list[Loss] = []
    restarts: bool = False
    floor: int = 1
    version: int = VERSION


class Record(NamedTuple):
    """One record, and where in its file it ends."""

    kind: int
    number: int
    content: bytes
    end: int


EVENT = int(RecordKind.EVENT)
pack_head = HEAD.pack
_encode = msgspec.msgpack.Encoder().encode
_decode_header = msgspec.msgpack.Decoder(Header).decode
_decode_loss = msgspec.msgpack.Decoder(Loss).decode


def pack(kind: int, number: int, content: bytes) -> bytes:
    """Return the bytes of a record."""
    return HEAD.pack(len(content), _checksum(kind, number, content), kind, number) + content


def pack_header(header: Header) -> bytes:
    """Return the record that begins a file."""
    return pack(RecordKind.HEADER, header.base, _encode(header))


def pack_loss(loss: Loss) -> bytes:
    """Return the record of a loss."""
    return pack(RecordKind.LOST, 0, _encode(loss))


def header_of(record: Record) -> Header | None:
    """Return the header that a record holds; None if it is none, or of a later version."""
    try:
        header = _decode_header(record.content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return header if record.kind == RecordKind.HEADER and header.version == VERSION else None


def loss_of(record: Record) -> Loss | None:
    """Return the loss that a record holds; None if it is none."""
    try:
        return _decode_loss(record.content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read(descriptor: int, offset: int = 0) -> Iterator[Record]:
    """Yield the whole records of a file from `offset` on, up to its end or the first torn one.

    Holds 256 KiB of it, or one record. Raise `OSError`.
    """
    data, at = b"", 0
    while True:
        wanted = HEAD.size
        if len(data) - at >= wanted:
            wanted += HEAD.unpack_from(data, at)[0]
            if wanted > HEAD.size + MAX_CONTENT:
                return
        if len(data) - at < wanted:
            more = os.pread(descriptor, max(READ_BYTES, wanted), offset + at)
            if len(more) < wanted:
                return
            data, at, offset = more, 0, offset + at
            continue
        _length, seal, kind, number = HEAD.unpack_from(data, at)
        content = data[at + HEAD.size : at + wanted]
        if number >= GREATEST_NUMBER or _checksum(kind, number, content) != seal:
            return
        at += wanted
        yield Record(kind, number, content, offset + at)


def _checksum(kind: int, number: int, content: bytes) -> int:
    """CRC-32 of the content that begins with kind and number, folded into its start value."""
    return crc32(content, (number << 3 ^ number >> 29 ^ kind) & WORD)
