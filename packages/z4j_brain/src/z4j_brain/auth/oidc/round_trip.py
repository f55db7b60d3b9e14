"""What binds the way to the provider and back to one browser, and lets it be gone once.

Nothing of it is stored but a keyed hash of the state and of the browser's cookie together, which
the way back uses up on whichever replica it ends. Nonce and PKCE verifier are derived from the two,
so that the database never holds them.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from typing import TYPE_CHECKING

import msgspec

from z4j_brain.auth.oidc.provider import Attempt
from z4j_brain.store import one_time_tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.keys import Keys

VALID_US = 600_000_000
LONGEST = 128
SIGN_IN, LINK = one_time_tokens.OIDC_SIGN_IN, one_time_tokens.OIDC_LINK


class Begun(msgspec.Struct, frozen=True):
    """A way that begins; `cookie` goes to the browser and nowhere else."""

    attempt: Attempt
    cookie: str

    def __repr__(self) -> str:
        return "Begun()"


class Way(msgspec.Struct, frozen=True):
    """A way that ended as it should; `user_id` is who links an identity to an account."""

    attempt: Attempt
    user_id: uuid.UUID | None

    def __repr__(self) -> str:
        return f"Way({self.user_id})"


def begin(
    connection: Connection,
    keys: Keys,
    redirect_uri: str,
    now: int,
    user_id: uuid.UUID | None = None,
) -> Begun:
    """Make state and cookie; with a `user_id` the way is to link, and not to sign in."""
    state, cookie = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    one_time_tokens.create(
        connection,
        token_hash=keys.one_time_hash(f"oidc\n{state}\n{cookie}"),
        purpose=SIGN_IN if user_id is None else LINK,
        now=now,
        expires_at=now + VALID_US,
        user_id=user_id,
    )
    return Begun(_attempt(keys, state, cookie, redirect_uri), cookie)


def end(
    connection: Connection, keys: Keys, state: str, cookie: str, redirect_uri: str, now: int
) -> Way | None:
    """Use a state up; None when it is unknown, of another browser, used, or too old."""
    if not (0 < len(state) <= LONGEST and 0 < len(cookie) <= LONGEST):
        return None
    token_hash = keys.one_time_hash(f"oidc\n{state}\n{cookie}")
    for purpose in (SIGN_IN, LINK):
        worked, user_id = one_time_tokens.use(connection, token_hash, purpose, now)
        if worked:
            return Way(_attempt(keys, state, cookie, redirect_uri), user_id)
    return None


def challenge(attempt: Attempt) -> str:
    """Return the S256 challenge of the verifier: RFC 7636, section 4.2."""
    return _text(hashlib.sha256(attempt.verifier.encode()).digest())


def _attempt(keys: Keys, state: str, cookie: str, redirect_uri: str) -> Attempt:
    nonce = _text(keys.oidc_value(b"nonce", state, cookie))
    verifier = _text(keys.oidc_value(b"pkce verifier", state, cookie))
    return Attempt(state, nonce, verifier, redirect_uri)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
