"""The one string that an operator gives to an agent, and the keys that are derived from it.

`Z4J_TOKEN` is ``z4j_`` followed by base64url (no padding) of

====  ==================  =====================================================
16 B  agent id            a UUID
32 B  bearer secret       goes over the wire, stored by the brain only as a hash
32 B  signing key         never goes over the wire
32 B  seal key            project-wide, used by agents only
 4 B  checksum            first bytes of SHA-256 over the prefix and all of the above
====  ==================  =====================================================

Keys are derived by HKDF-SHA256 (RFC 5869). The brain derives the project secret from `Z4J_SECRET`
on every use and stores none of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid

import msgspec

PREFIX = "z4j_"
SECRET_BYTES = 32
_CHECKSUM_BYTES = 4
_TOKEN_BYTES = 16 + 3 * SECRET_BYTES + _CHECKSUM_BYTES
_BEARER_BYTES = 16 + SECRET_BYTES


class CredentialError(ValueError):
    """A token is malformed or mistyped; the message says how to mend it and holds no secret."""


class Credential(msgspec.Struct, frozen=True):
    """The parts of an agent's token. Its `repr` shows the agent id only."""

    agent_id: uuid.UUID
    secret: bytes
    signing_key: bytes
    seal_key: bytes

    def __repr__(self) -> str:
        return f"Credential(agent_id={self.agent_id})"

    def token(self) -> str:
        """Return the token string."""
        body = self.agent_id.bytes + self.secret + self.signing_key + self.seal_key
        return PREFIX + _b64(body + _checksum(body))

    def bearer(self) -> str:
        """Return what goes into the header `Authorization: Bearer …`."""
        return _b64(self.agent_id.bytes + self.secret)


def parse_token(text: str) -> Credential:
    """Take a token apart; raise `CredentialError` when it was cut, mistyped or is no token."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise CredentialError(f"Z4J_TOKEN must begin with {PREFIX!r}: copy the whole token again.")
    data = _unb64(text[len(PREFIX) :])
    if data is None or len(data) != _TOKEN_BYTES:
        raise CredentialError("Z4J_TOKEN is cut or too long: copy the whole token again.")
    body, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if not hmac.compare_digest(_checksum(body), checksum):
        raise CredentialError("Z4J_TOKEN has a typing error: copy the whole token again.")
    parts = [body[16 + SECRET_BYTES * i : 16 + SECRET_BYTES * (i + 1)] for i in range(3)]
    return Credential(uuid.UUID(bytes=body[:16]), *parts)


def parse_bearer(text: str) -> tuple[uuid.UUID, bytes]:
    """Return agent id and secret of a bearer value; raise `CredentialError`."""
    data = _unb64(text.strip())
    if data is None or len(data) != _BEARER_BYTES:
        raise CredentialError("the bearer value is malformed")
    return uuid.UUID(bytes=data[:16]), data[16:]


def project_secret(master: bytes, project_id: uuid.UUID) -> bytes:
    """Derive the secret of a project from `Z4J_SECRET`."""
    return hkdf(master, b"z4j project" + project_id.bytes)


def signing_key(secret_of_project: bytes, agent_id: uuid.UUID, token_id: uuid.UUID) -> bytes:
    """Derive the signing key of one token, so that revoking it touches no other."""
    return hkdf(secret_of_project, b"z4j signing" + agent_id.bytes + token_id.bytes)


def seal_key(secret_of_project: bytes) -> bytes:
    """Derive the project-wide key with which agents seal payloads for one another."""
    return hkdf(secret_of_project, b"z4j seal")


def secret_hash(master: bytes, secret: bytes) -> bytes:
    """Return what the brain stores of a bearer secret: HMAC-SHA256 under a key of its own."""
    return hmac.digest(hkdf(master, b"z4j token hash"), secret, "sha256")


def hkdf(key: bytes, info: bytes, *, salt: bytes = b"", length: int = 32) -> bytes:
    """HKDF-SHA256, RFC 5869; `length` is at most 32 × 255 bytes."""
    pseudo_random = hmac.digest(salt or bytes(32), key, "sha256")
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(pseudo_random, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + body).digest()[:_CHECKSUM_BYTES]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _b64(data) == text else None  # one spelling only
