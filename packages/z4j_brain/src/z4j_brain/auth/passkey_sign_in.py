"""Signing in with a passkey: alone, or as the second step after a password or the provider.

The authenticator has checked who holds it (user verification is required), so a passkey alone is
two factors: NIST SP 800-63B-4, section 3.1.7. Nothing can be guessed here; what is wrong is counted
by address, for the work it makes.
"""

from __future__ import annotations

import asyncio
import hmac
from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Author, from_request, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import passkey_challenges, passkey_check, sign_in
from z4j_brain.auth.passkey_check import Assertion, PasskeyRefusedError
from z4j_brain.auth.rate_limits import ONE_TIME_TOKENS
from z4j_brain.auth.second_step import TooLateError
from z4j_brain.store import one_time_tokens, passkeys, users
from z4j_brain.store.one_time_tokens import SECOND_STEP

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from z4j_brain.auth.relying_party import RelyingParty
    from z4j_brain.auth.sign_in import SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.store.passkeys import Passkey
    from z4j_brain.store.users import User


class _Refused(Enum):
    """Why a signature that is right does not do."""

    UNKNOWN = auto()
    USED = auto()
    COUNTER = auto()


_WHY = {
    _Refused.UNKNOWN: "This passkey is not known here, or was removed. Use another way to sign in.",
    _Refused.USED: "This was sent before. Begin again.",
    _Refused.COUNTER: "This passkey may have been copied, so it was refused. Sign in another way"
    " and remove it on your Account page.",
}


class Wanted(msgspec.Struct, frozen=True):
    """What an authenticator has to sign; `allowed` is empty when any passkey will do."""

    challenge: bytes
    allowed: list[bytes]


class _Proven(msgspec.Struct, frozen=True):
    """A signature that is right, and what else its use is judged by."""

    passkey: Passkey
    challenge: bytes
    sign_count: int
    second_step: bytes | None
    """The hash of the first step's token."""
    by: str
    """The ways of the sign-in, for the audit log."""
    visitor: Visitor
    author: Author
    """The server, until the passkey has shown that it is the owner."""


async def begin(
    brain: Brain, party: RelyingParty, second_step: str | None, address: str | None
) -> Wanted:
    """Return what to sign; with the token of a first step, only that account's passkeys will do.

    Raises `NotInstalledError`, `TooLateError`, `WaitError`, `PasswordsOffError`.
    """
    _check_open(brain, second_step)
    now, allowed = clock.now(), []
    if second_step is not None:
        token_hash = brain.keys.one_time_hash(second_step)
        async with brain.limits.counting(ONE_TIME_TOKENS, address, TooLateError):
            found = await brain.database.run(_of_first_step, token_hash, now)
        allowed = [one.credential_id for one in found if one.rp_id == party.id]
    challenge = passkey_challenges.make(brain.keys, _purpose(party, second_step), now)
    return Wanted(challenge, allowed)


async def complete(
    brain: Brain,
    party: RelyingParty,
    given: Assertion,
    second_step: str | None,
    visitor: Visitor,
) -> SignedIn:
    """Check what was signed and open the session.

    Raises `NotInstalledError`, `PasskeyRefusedError`, `TooLateError`, `WaitError` after several of
    either, `PasswordsOffError`.
    """
    _check_open(brain, second_step)
    failures = (PasskeyRefusedError, TooLateError)
    async with brain.limits.counting(ONE_TIME_TOKENS, visitor.address, failures):
        return await _complete(brain, party, given, second_step, visitor)


def _check_open(brain: Brain, second_step: str | None) -> None:
    passkey_check.require_installed()
    if second_step is None:  # where the provider is the only way, a passkey is not another one
        sign_in.check_passwords_on(brain.settings)


async def _complete(
    brain: Brain,
    party: RelyingParty,
    given: Assertion,
    second_step: str | None,
    visitor: Visitor,
) -> SignedIn:
    challenge = await asyncio.to_thread(passkey_check.challenge_of, given.client_data)
    purpose = _purpose(party, second_step)
    if not passkey_challenges.is_good(brain.keys, purpose, challenge, clock.now()):
        raise PasskeyRefusedError("This took too long. Begin again.")
    passkey = await brain.database.run(passkeys.find, given.credential_id)
    if passkey is None or not _is_of(passkey, party, given, is_alone=second_step is None):
        raise PasskeyRefusedError(_WHY[_Refused.UNKNOWN])
    sign_count = await asyncio.to_thread(
        passkey_check.asserted, party, given, challenge, passkey.public_key
    )
    token_hash = None if second_step is None else brain.keys.one_time_hash(second_step)
    by = "passkey" if second_step is None else f"{sign_in.first_of(second_step).value} and passkey"
    nobody = from_request(brain.keys, SERVER, visitor.address)
    proven = _Proven(passkey, challenge, sign_count, token_hash, by, visitor, nobody)
    outcome = await brain.database.run(_judge, brain, proven, write=True)
    if isinstance(outcome, _Refused):
        raise PasskeyRefusedError(_WHY[outcome])
    return outcome


def _of_first_step(connection: Connection, token_hash: bytes, now: int) -> list[Passkey]:
    user_id = _owner(connection, token_hash, now)
    return passkeys.of_user(connection, user_id)


def _owner(connection: Connection, token_hash: bytes, now: int) -> UUID:
    user_id = one_time_tokens.owner(connection, token_hash, SECOND_STEP, now)
    if user_id is None:
        raise TooLateError
    return user_id


def _is_of(passkey: Passkey, party: RelyingParty, given: Assertion, *, is_alone: bool) -> bool:
    """Tell whether it was made here, for whom the authenticator says: section 7.2, step 6."""
    if passkey.rp_id != party.id:
        return False
    if not given.user_handle:
        return not is_alone
    return hmac.compare_digest(given.user_handle, passkey.user_id.bytes)


def _judge(connection: Connection, brain: Brain, proven: _Proven) -> SignedIn | _Refused:
    """Return the session or the refusal, whose row in the audit log is committed with it."""
    now, user_id = clock.now(), proven.passkey.user_id
    account = users.lock_account(connection, user_id)
    found = passkeys.find(connection, proven.passkey.credential_id)
    if account is None or account.is_disabled or found is None or found.user_id != user_id:
        return _Refused.UNKNOWN
    if proven.second_step is not None and _owner(connection, proven.second_step, now) != user_id:
        return _Refused.UNKNOWN
    if not passkey_challenges.use_up(connection, brain.keys, proven.challenge, now):
        return _Refused.USED
    author = msgspec.structs.replace(proven.author, actor=person(account.user))
    if max(proven.sign_count, found.sign_count) and proven.sign_count <= found.sign_count:
        _tell_counter(connection, proven, found, account.user)
        return _Refused.COUNTER
    passkeys.use(connection, found.id, proven.sign_count, now)
    if proven.second_step is not None:
        one_time_tokens.use(connection, proven.second_step, SECOND_STEP, now)
    signed_in = sign_in.open_session(connection, brain, account.user, proven.visitor)
    sign_in.tell_opened(connection, author, account.user, proven.by)
    return signed_in


def _tell_counter(connection: Connection, proven: _Proven, found: Passkey, user: User) -> None:
    """Record that a counter went back: two devices may hold one key (section 6.1.1)."""
    before = {"name": found.name, "id": str(found.id), "count": found.sign_count}
    after = {"count": proven.sign_count}
    action = "passkey.counter_went_back"
    record(connection, proven.author, action, user_target(user), before=before, after=after)


def _purpose(party: RelyingParty, second_step: str | None) -> str:
    return f"sign in\n{party.id}\n{second_step or ''}"
