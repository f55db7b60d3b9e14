"""Tokens that work once: for the first set-up, a sign-in by link, the second step of a sign-in, the
way to an identity provider and back.

Of the challenges of passkeys, which prove themselves, those are here that were used.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, text

from z4j_brain.store.schema import one_time_tokens as tokens

SETUP = "setup"
SIGN_IN = "sign-in"
SECOND_STEP = "second-step"
USED_CHALLENGE = "used-challenge"
OIDC_SIGN_IN = "oidc-sign-in"
OIDC_LINK = "oidc-link"


def create(
    connection: Connection,
    *,
    token_hash: bytes,
    purpose: str,
    now: int,
    expires_at: int,
    user_id: uuid.UUID | None = None,
) -> None:
    """Store a token, and delete those that have run out."""
    connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
    connection.execute(
        insert(tokens).values(
            token_hash=token_hash,
            purpose=purpose,
            user_id=user_id,
            created_at=now,
            expires_at=expires_at,
        )
    )


def is_valid(connection: Connection, token_hash: bytes, purpose: str, now: int) -> bool:
    """Tell whether the token would work now."""
    found = select(tokens.c.token_hash).where(
        tokens.c.token_hash == token_hash, tokens.c.purpose == purpose, tokens.c.expires_at > now
    )
    return bool(connection.execute(select(exists(found))).scalar_one())


def owner(connection: Connection, token_hash: bytes, purpose: str, now: int) -> uuid.UUID | None:
    """Tell for whom a token was made that would work now, without using it up."""
    return connection.execute(
        select(tokens.c.user_id).where(
            tokens.c.token_hash == token_hash,
            tokens.c.purpose == purpose,
            tokens.c.expires_at > now,
        )
    ).scalar()


def use(
    connection: Connection, token_hash: bytes, purpose: str, now: int
) -> tuple[bool, uuid.UUID | None]:
    """Use a token up; tell whether it worked, and for whom it was made."""
    row = connection.execute(
        delete(tokens)
        .where(tokens.c.token_hash == token_hash, tokens.c.purpose == purpose)
        .returning(tokens.c.user_id, tokens.c.expires_at)
    ).first()
    if row is None or row.expires_at <= now:
        return False, None
    return True, row.user_id


def spend(
    connection: Connection, token_hash: bytes, purpose: str, now: int, expires_at: int
) -> bool:
    """Note that what is no token of ours was used; False when it was used before."""
    connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
    values = {
        "token_hash": token_hash,
        "purpose": purpose,
        "created_at": now,
        "expires_at": expires_at,
    }
    clause = text(
        "INSERT INTO one_time_tokens (token_hash, purpose, created_at, expires_at)"
        " VALUES (:token_hash, :purpose, :created_at, :expires_at)"
        " ON CONFLICT (token_hash) DO NOTHING"
    ).bindparams(*(bindparam(name, type_=tokens.c[name].type) for name in values))
    return connection.execute(clause, values).rowcount == 1


def lock(connection: Connection, purpose: str) -> None:
    """Let nobody else use a token of this purpose before this transaction ends."""
    connection.execute(
        select(tokens.c.token_hash)
        .where(tokens.c.purpose == purpose)
        .order_by(tokens.c.token_hash)
        .with_for_update()
    ).all()


def remove_of_user(connection: Connection, user_id: uuid.UUID) -> None:
    """Delete every token that was made for somebody."""
    connection.execute(delete(tokens).where(tokens.c.user_id == user_id))


def remove_all(connection: Connection, purpose: str) -> None:
    """Delete every token of a purpose."""
    connection.execute(delete(tokens).where(tokens.c.purpose == purpose))
