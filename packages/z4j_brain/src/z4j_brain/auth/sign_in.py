"""Signing in: by password, by a one-time link, and what all ways in share: a new session."""

from __future__ import annotations

import secrets
import uuid
from enum import Enum
from typing import TYPE_CHECKING, Literal

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Author, Target, from_request, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import back_off, known_browser, passkey_check
from z4j_brain.auth.browser import HOUR_US
from z4j_brain.auth.rate_limits import ONE_TIME_TOKENS
from z4j_brain.store import one_time_tokens, passkeys, second_factors, sessions, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.back_off import Subjects
    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys
    from z4j_brain.settings import Settings
    from z4j_brain.store.users import User

ONE_TIME_US = 600_000_000
SECOND_STEP_US = 300_000_000
Way = Literal["app", "passkey", "recovery_code"]
MOST_SESSIONS = 100
"""Of one person; the one that was used least recently makes room for a further one."""
_LONGEST_USER_AGENT = 300


class WrongCredentialsError(Exception):
    """No account has this e-mail address and password."""


class LinkError(Exception):
    """The one-time link is unknown, used or too old."""


class PasswordsOffError(Exception):
    """Nobody signs in by password here, but by the identity provider."""


class FirstStep(Enum):
    """What came before a code was asked for, in the words of the audit log."""

    PASSWORD = "password"  # noqa: S105 - a word, and no password
    PROVIDER = "identity provider"


class Visitor(msgspec.Struct, frozen=True):
    """Where a sign-in comes from.

    `former` is the session token that the browser held before, `known` its cookie of
    `auth/known_browser.py`.
    """

    address: str | None
    user_agent: str | None
    former: str | None
    known: str | None = None


class SignedIn(msgspec.Struct, frozen=True):
    """A fresh session: its token goes into the cookie and nowhere else; so does `known`."""

    user: User
    token: str
    known: str

    def __repr__(self) -> str:
        return f"SignedIn(user={self.user.id})"


class SecondStep(msgspec.Struct, frozen=True):
    """The first step is done and more is asked for; the token goes with it.

    `ways` are those the account has.
    """

    token: str
    ways: tuple[Way, ...]

    def __repr__(self) -> str:
        return "SecondStep()"


async def with_password(
    brain: Brain, email: str, password: str, visitor: Visitor
) -> SignedIn | SecondStep:
    """Check a password, and open a session or ask for the second step (`auth/second_step.py`).

    Raises `WrongCredentialsError`, `WaitError`, `PasswordsOffError`, and `BusyError` of
    `auth.passwords`. The time it takes does not tell whether the account exists.
    """
    check_passwords_on(brain.settings)
    now = clock.now()
    known = known_browser.number_of(brain.keys, visitor.known, email, now)
    subjects = back_off.subjects_of(brain.keys, email, visitor.address, known)
    await back_off.attempt(brain, subjects, now)
    account = await brain.database.run(users.find_account, email)
    stored = account.password_hash if account else None
    is_right = await brain.passwords.check(stored, password)
    if not is_right or account is None or account.is_disabled:
        author = from_request(brain.keys, SERVER, visitor.address)
        user = account.user if account else None
        await brain.database.run(tell_lockout, author, subjects, user, write=True)
        raise WrongCredentialsError
    fresh_hash = None
    if brain.passwords.is_outdated(account.password_hash):
        fresh_hash = await brain.passwords.hash_async(password)
    author = from_request(brain.keys, person(account.user), visitor.address)

    def finish(connection: Connection) -> SignedIn | SecondStep:
        found = users.lock_account(connection, account.user.id)
        if found is None or found.is_disabled or found.password_hash != account.password_hash:
            raise WrongCredentialsError  # changed while the old one was checked
        back_off.succeed(connection, subjects)
        if fresh_hash is not None:
            users.set_password_hash(connection, account.user.id, fresh_hash)
        if second_factors.is_on(connection, account.user.id):
            return ask_second_step(connection, brain.keys, account.user.id, FirstStep.PASSWORD)
        signed_in = open_session(connection, brain, account.user, visitor)
        tell_opened(connection, author, account.user, "password")
        return signed_in

    return await brain.database.run(finish, write=True)


async def with_link(brain: Brain, token: str, visitor: Visitor) -> SignedIn:
    """Use up a one-time link and open a session.

    Raises `LinkError` when the link does not work (any more), and `WaitError` after several.
    """
    nobody = from_request(brain.keys, SERVER, visitor.address)

    def work(connection: Connection) -> SignedIn:
        token_hash = brain.keys.one_time_hash(token)
        _, user_id = one_time_tokens.use(
            connection, token_hash, one_time_tokens.SIGN_IN, clock.now()
        )
        user = users.find_user(connection, user_id) if user_id else None
        if user is None:
            raise LinkError
        author = msgspec.structs.replace(nobody, actor=person(user))
        signed_in = open_session(connection, brain, user, visitor)
        tell_opened(connection, author, user, "link")
        return signed_in

    async with brain.limits.counting(ONE_TIME_TOKENS, visitor.address, LinkError):
        return await brain.database.run(work, write=True)


def mint_link(
    connection: Connection, keys: Keys, user_id: uuid.UUID, now: int, valid_us: int = ONE_TIME_US
) -> str:
    """Make the token of a one-time sign-in link, `/sign-in/once?token=…`.

    Who may make one runs commands on the server's machine: no second step is asked for.
    """
    return _mint(connection, keys, user_id, one_time_tokens.SIGN_IN, now, valid_us)


def check_passwords_on(settings: Settings) -> None:
    """Raise `PasswordsOffError` where the identity provider is the only way in."""
    if settings.oidc_only == "on":
        raise PasswordsOffError


def ask_second_step(
    connection: Connection, keys: Keys, user_id: uuid.UUID, first: FirstStep
) -> SecondStep:
    """Make the token that goes with the second. It says what the first was: see `first_of`."""
    now, prefix = clock.now(), _PREFIXES[first]
    purpose = one_time_tokens.SECOND_STEP
    token = _mint(connection, keys, user_id, purpose, now, SECOND_STEP_US, prefix)
    has: dict[Way, bool] = {
        "app": second_factors.has_app(connection, user_id),
        "passkey": passkeys.count(connection, user_id) > 0 and passkey_check.is_installed(),
        "recovery_code": second_factors.codes_left(connection, user_id) > 0,
    }
    return SecondStep(token, tuple(way for way, is_there in has.items() if is_there))


def first_of(token: str) -> FirstStep:
    """Return the first step of a token that works; its hash covers what is read here."""
    found = [first for first, prefix in _PREFIXES.items() if prefix and token.startswith(prefix)]
    return found[0] if found else FirstStep.PASSWORD


_PREFIXES = {FirstStep.PASSWORD: "", FirstStep.PROVIDER: "oidc."}


def _mint(
    connection: Connection,
    keys: Keys,
    user_id: uuid.UUID,
    purpose: str,
    now: int,
    valid_us: int,
    prefix: str = "",
) -> str:
    token = prefix + secrets.token_urlsafe(32)
    one_time_tokens.create(
        connection,
        token_hash=keys.one_time_hash(token),
        purpose=purpose,
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
    sessions.remove_beyond(connection, user.id, MOST_SESSIONS - 1)
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
    return SignedIn(user, token, known_browser.make(brain.keys, user.email, now))


def tell_opened(connection: Connection, author: Author, user: User, by: str) -> None:
    """Record that somebody has signed in; call it after `open_session`.

    Every writer touches an account and its sessions first and the log last, so that no two wait
    for each other.
    """
    record(connection, author, "session.opened", user_target(user), after={"by": by})


def tell_lockout(
    connection: Connection, author: Author, subjects: Subjects, user: User | None
) -> None:
    """Record that a failed sign-in brought a wait; of an unknown account not even the e-mail, for
    people type passwords into that field too. The waits bound how many rows a stranger can make.
    """
    wait_s = back_off.wait_of(connection, subjects, clock.now())
    if wait_s:
        target = user_target(user) if user else Target("user", None, "(no such account)")
        record(connection, author, "sign_in.locked", target, after={"wait_s": wait_s})
