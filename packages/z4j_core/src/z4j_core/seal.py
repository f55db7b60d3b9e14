"""Sealed payloads: what only agents can open, and the envelope that it lies in (`docs/sealed.md`).

The operator's key, which the brain never has, is ``z4j_seal_`` followed by base64url (no padding)
of 32 random bytes and a checksum of 4. An envelope, version 1, is

====  ============  ====================================================================
 1 B  version       0x01
 8 B  key id        HKDF(key, "z4j seal key id"): says which key opens it, nothing else
 8 B  project tag   HKDF(the project's seal key, "z4j seal project"): see `project_tag`
16 B  salt          random, once per process
12 B  nonce         random, once per message
rest  cipher text   AES-256-GCM (NIST SP 800-38D), with its tag of 16 bytes at the end
====  ============  ====================================================================

The cipher's key is HKDF-SHA256 (RFC 5869) of the operator's key with the salt. Authenticated with
the text (`associated_data`) are all fields before the nonce, the engine and the task's id: an
envelope opens for the very task that it was sealed for and for no other.

Nothing here encrypts: the cipher is `z4j_agent.sealing`, behind an extra.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from struct import Struct
from typing import Protocol

import msgspec

from z4j_core.credential import hkdf

KEY_PREFIX = "z4j_seal_"
KEY_BYTES = 32
MAX_KEYS = 8
VERSION = 1
MAX_SEALED = 65_536
"""Bytes of the greatest envelope."""

_CHECKSUM_BYTES = 4
_ID_BYTES = 8
_TAG_BYTES = 16
_HEAD = Struct(">B8s8s16s12s")
_BOUND = _HEAD.size - 12
_LENGTH = Struct(">H").pack
OVERHEAD = _HEAD.size + _TAG_BYTES
"""How many bytes an envelope is longer than what it holds."""
MAX_ORIGINAL = MAX_SEALED - OVERHEAD

_COPY_AGAIN = "copy the whole key again, or mint one with `z4j-agent seal-key`."


class SealKeyError(ValueError):
    """A key cannot be used; the message says how to mend it and holds nothing of the key."""


class EnvelopeError(ValueError):
    """Bytes that are no envelope of a known version; the message holds nothing of them."""


class Seal(Protocol):
    """Encrypts for one task. Thread-safe, and safe after a fork."""

    def __call__(self, engine: str, task_id: str, original: bytes) -> bytes:
        """Return the envelope of at most `MAX_ORIGINAL` bytes."""


class SealKey(msgspec.Struct, frozen=True):
    """One key of the operator. Its `repr` shows the id only."""

    secret: bytes

    @property
    def id(self) -> bytes:
        """The 8 bytes by which envelopes name this key; they tell nothing else of it."""
        return hkdf(self.secret, b"z4j seal key id", length=_ID_BYTES)

    def text(self) -> str:
        """Return the key as the operator keeps it."""
        body = self.secret + _checksum(self.secret)
        return KEY_PREFIX + base64.urlsafe_b64encode(body).rstrip(b"=").decode()

    def __repr__(self) -> str:
        return f"SealKey(id={self.id.hex()})"


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """The parts of a sealed payload; `sealed` is the cipher text with its tag."""

    key_id: bytes
    project_tag: bytes
    salt: bytes
    nonce: bytes
    sealed: bytes

    def pack(self) -> bytes:
        """Return the bytes that travel and are stored."""
        head = _HEAD.pack(VERSION, self.key_id, self.project_tag, self.salt, self.nonce)
        return head + self.sealed


def unpack(data: bytes) -> Envelope:
    """Take an envelope apart, without opening it; raise `EnvelopeError`."""
    if not OVERHEAD <= len(data) <= MAX_SEALED:
        raise EnvelopeError(f"a sealed payload has {OVERHEAD} to {MAX_SEALED} bytes")
    version, key_id, tag, salt, nonce = _HEAD.unpack_from(data)
    if version != VERSION:
        raise EnvelopeError(f"sealed payloads of version {version} are not known here")
    return Envelope(key_id, tag, salt, nonce, data[_HEAD.size :])


def associated_data(head: Envelope, engine: str, task_id: str) -> bytes:
    """Return what is authenticated beside the text: where the envelope belongs.

    Each text is preceded by its length, so no two places give the same bytes.
    """
    name, task = engine.encode(), task_id.encode("utf-8", "surrogatepass")
    return b"".join(
        (head.pack()[:_BOUND], _LENGTH(len(name)), name, _LENGTH(len(task)), task),
    )


def message_key(secret: bytes, salt: bytes) -> bytes:
    """Derive the cipher's key of one process from the operator's key."""
    return hkdf(secret, b"z4j sealed payload 1", salt=salt)


def project_tag(project_seal_key: bytes) -> bytes:
    """Return what tells projects apart, from the seal key in each token of the project.

    It keeps an envelope of one project from being opened in another although both were given the
    same key. It tells nothing of the seal key, and opens nothing.
    """
    return hkdf(project_seal_key, b"z4j seal project", length=_ID_BYTES)


def parse_seal_keys(text: str) -> tuple[SealKey, ...]:
    """Read `Z4J_SEAL_KEY`: keys separated by commas, the first one seals. Raise `SealKeyError`."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_KEYS:
        raise SealKeyError(f"Z4J_SEAL_KEY holds more than {MAX_KEYS} keys: drop the oldest.")
    several = len(parts) > 1
    keys = (
        _parse(part, f"Key {number} of Z4J_SEAL_KEY" if several else "Z4J_SEAL_KEY")
        for number, part in enumerate(parts, 1)
    )
    return tuple(dict.fromkeys(keys))


def _parse(text: str, name: str) -> SealKey:
    if not text:
        raise SealKeyError(f"{name} is empty: take the comma away, or put a key there.")
    if not text.startswith(KEY_PREFIX):
        raise SealKeyError(f"{name} must begin with {KEY_PREFIX!r}: {_COPY_AGAIN}")
    data = _decoded(text[len(KEY_PREFIX) :])
    if data is None or len(data) != KEY_BYTES + _CHECKSUM_BYTES:
        raise SealKeyError(f"{name} is cut or too long: {_COPY_AGAIN}")
    secret, checksum = data[:KEY_BYTES], data[KEY_BYTES:]
    if not hmac.compare_digest(_checksum(secret), checksum):
        raise SealKeyError(f"{name} has a typing error: {_COPY_AGAIN}")
    return SealKey(secret)


def _checksum(secret: bytes) -> bytes:
    return hashlib.sha256(KEY_PREFIX.encode() + secret).digest()[:_CHECKSUM_BYTES]


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
