"""Secrets of authenticator apps at rest: XChaCha20-Poly1305 under a key derived from `Z4J_SECRET`.

The account's id is bound to the cipher text, so that a row cannot be moved to another account.
PyNaCl has a quarter of the size of the libraries that bring AES.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uuid

    from z4j_brain.keys import Keys


class SecretLostError(Exception):
    """The secret was stored under another `Z4J_SECRET`, or was tampered with."""


def seal(keys: Keys, user_id: uuid.UUID, secret: bytes) -> bytes:
    """Return what is stored: a random nonce and the cipher text."""
    from nacl.secret import Aead

    return bytes(Aead(keys.totp_key()).encrypt(secret, user_id.bytes))


def unseal(keys: Keys, user_id: uuid.UUID, stored: bytes) -> bytes:
    """Return the secret, sealed under the present or a former key; raises `SecretLostError`."""
    from nacl.exceptions import CryptoError
    from nacl.secret import Aead

    for each in keys.ring():
        try:
            return Aead(each.totp_key()).decrypt(stored, user_id.bytes)
        except (CryptoError, ValueError):
            continue
    raise SecretLostError


def is_present(keys: Keys, user_id: uuid.UUID, stored: bytes) -> bool:
    """Tell whether it was sealed under the present key."""
    try:
        unseal(replace(keys, former=()), user_id, stored)
    except SecretLostError:
        return False
    return True
