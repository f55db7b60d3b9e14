"""Secrets of authenticator apps at rest: AES-256-GCM under a key derived from `Z4J_SECRET`.

The account's id is bound to the cipher text, so that a row cannot be moved to another account.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uuid

    from z4j_brain.keys import Keys

_NONCE_BYTES = 12


class SecretLostError(Exception):
    """The secret was stored under another `Z4J_SECRET`, or was tampered with."""


def seal(keys: Keys, user_id: uuid.UUID, secret: bytes) -> bytes:
    """Return what is stored: a random nonce and the cipher text."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(keys.totp_key()).encrypt(nonce, secret, user_id.bytes)


def unseal(keys: Keys, user_id: uuid.UUID, stored: bytes) -> bytes:
    """Return the secret; raises `SecretLostError`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, sealed = stored[:_NONCE_BYTES], stored[_NONCE_BYTES:]
    try:
        return AESGCM(keys.totp_key()).decrypt(nonce, sealed, user_id.bytes)
    except (InvalidTag, ValueError):
        raise SecretLostError from None
