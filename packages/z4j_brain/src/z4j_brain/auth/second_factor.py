"""Setting up an authenticator app: begin, confirm, new recovery codes, off."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import account, recovery_codes, totp, totp_secrets
from z4j_brain.store import second_factors, sessions, users

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.brain import Brain
    from z4j_brain.store.sessions import Session

ISSUER = "z4j"
CONFIRM_WITHIN_US = 900_000_000


class AlreadyOnError(Exception):
    """The account has an app; turn that off first."""


class NotBegunError(Exception):
    """There is no app to confirm, or it was begun too long ago."""


class NotOnError(Exception):
    """The account has no confirmed app, or no second step at all."""


class WrongCodeError(Exception):
    """The code is wrong, too old, or was used before."""


class Enrolment(msgspec.Struct, frozen=True):
    """What the app has to be told: shown once, until it is confirmed."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolment()"


class State(msgspec.Struct, frozen=True):
    """Whether there is an app, since when, and the recovery codes left."""

    confirmed_at: int | None
    codes_left: int


async def state(brain: Brain, session: Session) -> State:
    """Tell how the account's second step stands."""

    def work(connection: Connection) -> State:
        found = second_factors.find(connection, session.user.id)
        left = second_factors.codes_left(connection, session.user.id)
        return State(found.confirmed_at if found else None, left)

    return await brain.database.run(work)


async def begin(brain: Brain, author: Author, session: Session, password: str) -> Enrolment:
    """Make a secret for an app; raises `AlreadyOnError` and what `confirm_password` raises."""
    user = (await account.confirm_password(brain, author, session, password)).user
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    sealed = totp_secrets.seal(brain.keys, user.id, secret)

    def work(connection: Connection) -> None:
        users.lock_account(connection, user.id)
        if second_factors.has_app(connection, user.id):
            raise AlreadyOnError
        second_factors.begin(connection, user.id, sealed, clock.now())
        record(connection, author, "second_factor.begun", user_target(user))

    await brain.database.run(work, write=True)
    return Enrolment(totp.written(secret), totp.uri(secret, user.email, ISSUER))


async def confirm(brain: Brain, author: Author, session: Session, code: str) -> list[str]:
    """Turn the second step on by a first code; return the recovery codes, and sign out elsewhere.

    Raises `NotBegunError`, `AlreadyOnError`, `WrongCodeError`, `SecretLostError`.
    """
    user_id = session.user.id
    made = recovery_codes.make()

    def work(connection: Connection) -> list[UUID]:
        now = clock.now()
        users.lock_account(connection, user_id)
        found = second_factors.find(connection, user_id)
        if found is not None and found.confirmed_at is not None:
            raise AlreadyOnError
        if found is None or found.created_at < now - CONFIRM_WITHIN_US:
            raise NotBegunError
        secret = totp_secrets.unseal(brain.keys, user_id, found.sealed)
        step = totp.step_of(secret, recovery_codes.plain(code), now, found.last_step)
        if step is None or not second_factors.use_step(connection, user_id, step):
            raise WrongCodeError
        second_factors.confirm(connection, user_id, now)
        recovery_codes.store(connection, user_id, made, now)
        ended = sessions.remove_of_user(connection, user_id, but=session.id)
        after = {"sessions_ended": len(ended)}
        record(connection, author, "second_factor.on", user_target(session.user), after=after)
        return ended

    brain.session_watch.end(await brain.database.run(work, write=True))
    return made


async def new_codes(brain: Brain, author: Author, session: Session, password: str) -> list[str]:
    """Replace the recovery codes; raises `NotOnError` and what `confirm_password` raises."""
    await account.confirm_password(brain, author, session, password)
    made = recovery_codes.make()

    def work(connection: Connection) -> None:
        users.lock_account(connection, session.user.id)
        if not second_factors.is_on(connection, session.user.id):
            raise NotOnError
        recovery_codes.store(connection, session.user.id, made, clock.now())
        record(connection, author, "recovery_codes.replaced", user_target(session.user))

    await brain.database.run(work, write=True)
    return made


async def turn_off(brain: Brain, author: Author, session: Session, password: str) -> None:
    """Ask for no code any more; raises `NotOnError` and what `confirm_password` raises."""
    await account.confirm_password(brain, author, session, password)

    def work(connection: Connection) -> None:
        users.lock_account(connection, session.user.id)
        if not second_factors.remove_app(connection, session.user.id):
            raise NotOnError
        second_factors.remove_idle_codes(connection, session.user.id)
        record(connection, author, "second_factor.off", user_target(session.user))

    await brain.database.run(work, write=True)
