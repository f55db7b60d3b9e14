"""Authenticator apps and recovery codes of people, and whether sign-in has a second step."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select, update

from z4j_brain.store import passkeys
from z4j_brain.store.schema import passkeys as passkey_rows
from z4j_brain.store.schema import recovery_codes as codes
from z4j_brain.store.schema import totp_secrets as totp
from z4j_brain.store.schema import users
from z4j_brain.store.users import NO_PASSWORD


class Totp(msgspec.Struct, frozen=True):
    """An authenticator app; it counts once it is confirmed. Times are microseconds.

    `last_step` is that of the newest code that was used, `failures` how many wrong ones came since
    the last right one.
    """

    user_id: uuid.UUID
    sealed: bytes
    created_at: int
    confirmed_at: int | None
    last_step: int
    failures: int


def find(connection: Connection, user_id: uuid.UUID) -> Totp | None:
    """Find somebody's app, confirmed or not."""
    row = connection.execute(
        select(*(totp.c[name] for name in Totp.__struct_fields__)).where(totp.c.user_id == user_id)
    ).first()
    return None if row is None else Totp(row.user_id, bytes(row.sealed), *row[2:])


def sealed(connection: Connection) -> list[tuple[uuid.UUID, bytes]]:
    """Return the sealed secret of every app, by account."""
    rows = connection.execute(select(totp.c.user_id, totp.c.sealed).order_by(totp.c.user_id))
    return [(row.user_id, bytes(row.sealed)) for row in rows]


def reseal(connection: Connection, user_id: uuid.UUID, former: bytes, sealed: bytes) -> bool:
    """Put another seal in the place of the former one; False when that is gone by now."""
    changed = connection.execute(
        update(totp).where(totp.c.user_id == user_id, totp.c.sealed == former).values(sealed=sealed)
    )
    return changed.rowcount == 1


def has_app(connection: Connection, user_id: uuid.UUID) -> bool:
    """Tell whether somebody has an app that is confirmed."""
    found = find(connection, user_id)
    return found is not None and found.confirmed_at is not None


def is_on(connection: Connection, user_id: uuid.UUID) -> bool:
    """Tell whether somebody's sign-in has a second step: an app or a passkey."""
    return has_app(connection, user_id) or passkeys.count(connection, user_id) > 0


def begin(connection: Connection, user_id: uuid.UUID, sealed: bytes, now: int) -> None:
    """Store an app that is not confirmed yet, in place of a former such one."""
    connection.execute(delete(totp).where(totp.c.user_id == user_id, totp.c.confirmed_at.is_(None)))
    connection.execute(
        insert(totp).values(user_id=user_id, sealed=sealed, created_at=now, last_step=0, failures=0)
    )


def administrators_without(connection: Connection) -> list[str]:
    """Return the e-mail addresses of the instance's administrators without a second step.

    Who has no password is signed in by the identity provider, which asks for what it wants.
    """
    has_app = exists().where(totp.c.user_id == users.c.id, totp.c.confirmed_at.is_not(None))
    has_passkey = exists().where(passkey_rows.c.user_id == users.c.id)
    query = select(users.c.email).where(
        users.c.is_admin,
        users.c.disabled_at.is_(None),
        users.c.password_hash != NO_PASSWORD,
        ~has_app,
        ~has_passkey,
    )
    return list(connection.execute(query.order_by(users.c.email)).scalars())


def use_step(connection: Connection, user_id: uuid.UUID, step: int) -> bool:
    """Note that the code of a step was used; False when it, or a later one, was used before."""
    used = connection.execute(
        update(totp)
        .where(totp.c.user_id == user_id, totp.c.last_step < step)
        .values(last_step=step, failures=0)
    )
    return used.rowcount == 1


def confirm(connection: Connection, user_id: uuid.UUID, now: int) -> None:
    """Ask for the app's codes from now on."""
    connection.execute(update(totp).where(totp.c.user_id == user_id).values(confirmed_at=now))


def count_failure(connection: Connection, user_id: uuid.UUID) -> None:
    """Count a wrong code."""
    connection.execute(
        update(totp).where(totp.c.user_id == user_id).values(failures=totp.c.failures + 1)
    )


def remove_app(connection: Connection, user_id: uuid.UUID) -> bool:
    """Delete somebody's app; tell whether there was one."""
    return connection.execute(delete(totp).where(totp.c.user_id == user_id)).rowcount == 1


def remove_idle_codes(connection: Connection, user_id: uuid.UUID) -> None:
    """Delete somebody's recovery codes when there is no second step that they could replace."""
    if not is_on(connection, user_id):
        connection.execute(delete(codes).where(codes.c.user_id == user_id))


def replace_codes(
    connection: Connection, user_id: uuid.UUID, hashes: list[bytes], now: int
) -> None:
    """Store a new set of recovery codes; the former ones work no more."""
    connection.execute(delete(codes).where(codes.c.user_id == user_id))
    connection.execute(
        insert(codes),
        [{"user_id": user_id, "code_hash": one, "created_at": now} for one in hashes],
    )


def use_code(connection: Connection, user_id: uuid.UUID, code_hash: bytes) -> bool:
    """Use up a recovery code; False when there is none of that hash."""
    used = connection.execute(
        delete(codes).where(codes.c.user_id == user_id, codes.c.code_hash == code_hash)
    )
    if used.rowcount != 1:
        return False
    connection.execute(update(totp).where(totp.c.user_id == user_id).values(failures=0))
    return True


def codes_left(connection: Connection, user_id: uuid.UUID) -> int:
    """Count the recovery codes that still work."""
    found = select(func.count()).select_from(codes).where(codes.c.user_id == user_id)
    return int(connection.execute(found).scalar_one())
