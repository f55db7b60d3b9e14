"""Signing in: by password, by a one-time link, and what all ways in share: a new session."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Author, Target, from_request, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import back_off
from z4j_brain.auth.browser import HOUR_US
from z4j_brain.store import one_time_tokens, sessions, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.back_off import Subjects
    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys
    from z4j_brain.store.users import User

ONE_TIME_US = 600_000_000
_LONGEST_USER_AGENT = 300
_BY_PASSWORD, _BY_LINK = {"by": "password"}, {"by": "link"}


class WrongCredentialsError(Exception):
    """No account has this e-mail address and password."""


class WaitError(Exception):
    """Too many attempts: the argument is the seconds to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds


class Visitor(msgspec.Struct, frozen=True):
    """Where a sign-in comes from; `former` is the session token that the browser held before."""

    address: str | None
    user_agent: str | None
    former: str | None


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh session: its token goes into the cookie and nowhere else."""

    user: User
    token: str

    def __repr__(self) -> str:
        return f"SignedIn(user={self.user.id})"


async def with_password(brain: Brain, email: str, password: str, visitor: Visitor) -> SignedIn:
    """Check a password and open a session.

    Raises `WrongCredentialsError`, `WaitError`, and `BusyError` of `auth.passwords`. The time it
    takes does not tell whether the account exists.
    """
    subjects = back_off.subjects_of(brain.keys, email, visitor.address)
    wait = await brain.database.run(back_off.begin, subjects, clock.now(), write=True)
    if wait:
        raise WaitError(wait)
    account = await brain.database.run(users.find_account, email)
    stored = account.password_hash if account else None
    is_right = await brain.passwords.check(stored, password)
    if not is_right or account is None or account.is_disabled:
        author = from_request(brain.keys, SERVER, visitor.address)
        user = account.user if account else None
        await brain.database.run(_tell_lockout, author, subjects, user, write=True)
        raise WrongCredentialsError
    fresh_hash = None
    if brain.passwords.is_outdated(account.password_hash):
        fresh_hash = await brain.passwords.hash_async(password)
    author = from_request(brain.keys, person(account.user), visitor.address)

    def finish(connection: Connection) -> SignedIn:
        back_off.succeed(connection, subjects)
        if fresh_hash is not None:
            users.set_password_hash(connection, account.user.id, fresh_hash)
        record(connection, author, "session.opened", user_target(account.user), after=_BY_PASSWORD)
        return open_session(connection, brain, account.user, visitor)

    return await brain.database.run(finish, write=True)


async def with_link(brain: Brain, token: str, visitor: Visitor) -> SignedIn | None:
    """Use up a one-time link and open a session; None when the link does not work (any more)."""

    nobody = from_request(brain.keys, SERVER, visitor.address)

    def work(connection: Connection) -> SignedIn | None:
        token_hash = brain.keys.one_time_hash(token)
        _, user_id = one_time_tokens.use(
            connection, token_hash, one_time_tokens.SIGN_IN, clock.now()
        )
        user = users.find_user(connection, user_id) if user_id else None
        if user is None:
            return None
        author = msgspec.structs.replace(nobody, actor=person(user))
        record(connection, author, "session.opened", user_target(user), after=_BY_LINK)
        return open_session(connection, brain, user, visitor)

    return await brain.database.run(work, write=True)


def mint_link(
    connection: Connection, keys: Keys, user_id: uuid.UUID, now: int, valid_us: int = ONE_TIME_US
) -> str:
    """Make the token of a one-time sign-in link, `/sign-in/once?token=…`."""
    token = secrets.token_urlsafe(32)
    one_time_tokens.create(
        connection,
        token_hash=keys.one_time_hash(token),
        purpose=one_time_tokens.SIGN_IN,
        now=now,
        expires_at=now + valid_us,
        user_id=user_id,
    )
    return token


def open_session(connection: Connection, brain: Brain, user: User, visitor: Visitor) -> SignedIn:
    """Store a new session under a new token; the one the browser held before ends."""
    now, settings = clock.now(), brain.settings
    sessions.remove_ended(connection, now, settings.session_idle_hours * HOUR_US)
    if visitor.former is not None:
        sessions.remove_token(connection, brain.keys.session_hash(visitor.former))
    token = secrets.token_urlsafe(32)
    sessions.create(
        connection,
        token_hash=brain.keys.session_hash(token),
        user_id=user.id,
        now=now,
        expires_at=now + settings.session_max_hours * HOUR_US,
        address=visitor.address,
        user_agent=visitor.user_agent and visitor.user_agent[:_LONGEST_USER_AGENT],
    )
    return SignedIn(user, token)


def _tell_lockout(
    connection: Connection, author: Author, subjects: Subjects, user: User | None
) -> None:
    """Record that a failed sign-in brought a wait; of an unknown account not even the e-mail, for
    people type passwords into that field too. The waits bound how many rows a stranger can make.
    """
    wait_s = back_off.wait_of(connection, subjects, clock.now())
    if wait_s:
        target = user_target(user) if user else Target("user", None, "(no such account)")
        record(connection, author, "sign_in.locked", target, after={"wait_s": wait_s})
