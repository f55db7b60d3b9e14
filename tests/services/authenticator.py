"""An authenticator in software: makes passkeys and signs with them, and lies where a test wants it.

WebAuthn Level 3, sections 6.1 (authenticator data) and 6.5.4 (attestation object); keys are P-256.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 1, 4, 64
Json = dict[str, Any]


def text(value: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def plain(value: str) -> bytes:
    """Return what base64url without padding says."""
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


class Authenticator:
    """One passkey, in the hands of its owner. `count` is the counter of the next signature."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user = b""
        self.count = 0

    def make(self, options: Json, *, flags: int = PRESENT | VERIFIED, **lies: Any) -> Json:
        """Return what `navigator.credentials.create` would."""
        self.user = plain(options["user"]["id"])
        rp_id = lies.pop("rp_id", options["rp"]["id"])
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._public()
        data = self._data(rp_id, flags | ATTESTED) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, lies)
        return {
            "id": text(self.id),
            "clientDataJSON": text(client),
            "attestationObject": text(attestation),
        }

    def sign(self, options: Json, *, flags: int = PRESENT | VERIFIED, **lies: Any) -> Json:
        """Return what `navigator.credentials.get` would."""
        data = self._data(lies.pop("rp_id", options["rpId"]), flags)
        client = self._client("webauthn.get", options, lies)
        signed = data + hashlib.sha256(client).digest()
        return {
            "id": text(self.id),
            "clientDataJSON": text(client),
            "authenticatorData": text(data),
            "signature": text(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": text(self.user),
        }

    def _client(self, kind: str, options: Json, lies: Json) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, **lies}
        return json.dumps(told).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        hashed = hashlib.sha256(rp_id.encode()).digest()
        return hashed + bytes([flags]) + self.count.to_bytes(4, "big")

    def _public(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return bytes(cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y}))
