"""The second step of a sign-in: a code of the authenticator app, or a recovery code.

The first step leaves a token that lasts five minutes. Codes are slowed down as passwords are. After
`MOST_FAILURES` wrong ones in a row (NIST SP 800-63B-4, section 3.2.2) the app's codes are taken
only from browsers that the account has signed in with before, until one is right; recovery codes
always.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Author, from_request, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import back_off, known_browser, recovery_codes, sign_in, totp, totp_secrets
from z4j_brain.auth.rate_limits import ONE_TIME_TOKENS
from z4j_brain.auth.totp_secrets import SecretLostError
from z4j_brain.store import one_time_tokens, second_factors, users
from z4j_brain.store.one_time_tokens import SECOND_STEP

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.back_off import Subjects
    from z4j_brain.auth.sign_in import SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.store.users import User

MOST_FAILURES = 100


class TooLateError(Exception):
    """The first step was too long ago, or the account has changed since."""


class Refused(Enum):
    """Why a code does not do."""

    WRONG = auto()
    LOCKED = auto()
    LOST = auto()


class CodeRefusedError(Exception):
    """The code will not do; `reason` says why."""

    def __init__(self, reason: Refused) -> None:
        super().__init__(reason.name)
        self.reason = reason


class _Attempt(msgspec.Struct, frozen=True):
    """Everything that one attempt is judged by."""

    token_hash: bytes
    code: str
    subjects: Subjects
    visitor: Visitor
    author: Author
    """The server, until the code has shown that it is the owner."""
    first: str
    """What the first step was, for the audit log."""


async def complete(brain: Brain, token: str, code: str, visitor: Visitor) -> SignedIn:
    """Check a code and open the session.

    Raises `TooLateError`, `CodeRefusedError`, and `WaitError` of `auth.waits`.
    """
    now, token_hash = clock.now(), brain.keys.one_time_hash(token)
    async with brain.limits.counting(ONE_TIME_TOKENS, visitor.address, TooLateError):
        user = await brain.database.run(_user_of, token_hash, now)
    known = known_browser.number_of(brain.keys, visitor.known, user.email, now)
    subjects = back_off.subjects_of(
        brain.keys, f"{user.email}\nsecond step", visitor.address, known
    )
    await back_off.attempt(brain, subjects, now)
    nobody = from_request(brain.keys, SERVER, visitor.address)
    first = sign_in.first_of(token).value
    attempt = _Attempt(token_hash, recovery_codes.plain(code), subjects, visitor, nobody, first)
    outcome = await brain.database.run(_judge, brain, user, attempt, write=True)
    if isinstance(outcome, Refused):
        raise CodeRefusedError(outcome)
    return outcome


def _user_of(connection: Connection, token_hash: bytes, now: int) -> User:
    user_id = one_time_tokens.owner(connection, token_hash, SECOND_STEP, now)
    user = users.find_user(connection, user_id) if user_id else None
    if user is None:
        raise TooLateError
    return user


def _judge(
    connection: Connection, brain: Brain, user: User, attempt: _Attempt
) -> SignedIn | Refused:
    """Return the session or the refusal, whose count is committed with it."""
    now = clock.now()
    account = users.lock_account(connection, user.id)
    if account is None or account.is_disabled:
        raise TooLateError
    if one_time_tokens.owner(connection, attempt.token_hash, SECOND_STEP, now) != user.id:
        raise TooLateError
    refused = _check_code(connection, brain, user, attempt, now)
    if refused is not None:
        sign_in.tell_lockout(connection, attempt.author, attempt.subjects, user)
        return refused
    back_off.succeed(connection, attempt.subjects)
    one_time_tokens.use(connection, attempt.token_hash, SECOND_STEP, now)
    signed_in = sign_in.open_session(connection, brain, user, attempt.visitor)
    author = msgspec.structs.replace(attempt.author, actor=person(user))
    is_recovery = recovery_codes.hash_of(user.id, attempt.code) is not None
    by = f"{attempt.first} and {'recovery code' if is_recovery else 'app'}"
    sign_in.tell_opened(connection, author, user, by)
    return signed_in


def _check_code(
    connection: Connection, brain: Brain, user: User, attempt: _Attempt, now: int
) -> Refused | None:
    code_hash = recovery_codes.hash_of(user.id, attempt.code)
    if code_hash is not None:
        is_right = second_factors.use_code(connection, user.id, code_hash)
        return None if is_right else Refused.WRONG
    found = second_factors.find(connection, user.id)
    if found is None or found.confirmed_at is None:
        if not second_factors.is_on(connection, user.id):
            raise TooLateError
        return Refused.WRONG
    if found.failures >= MOST_FAILURES and attempt.subjects.alone is None:
        return Refused.LOCKED
    try:
        secret = totp_secrets.unseal(brain.keys, user.id, found.sealed)
    except SecretLostError:
        return Refused.LOST
    step = totp.step_of(secret, attempt.code, now, found.last_step)
    if step is not None and second_factors.use_step(connection, user.id, step):
        return None
    second_factors.count_failure(connection, user.id)
    if found.failures + 1 == MOST_FAILURES:
        record(connection, attempt.author, "second_factor.locked", user_target(user))
    return Refused.WRONG
