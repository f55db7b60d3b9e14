"""One's own passkeys: adding one, removing one.

The first second step of an account brings recovery codes, and ends its sessions elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import account, passkey_challenges, passkey_check, recovery_codes
from z4j_brain.auth.passkey_check import PasskeyRefusedError, Registration
from z4j_brain.store import passkeys, second_factors, sessions, users
from z4j_brain.store.passkeys import Passkey
from z4j_brain.store.types import new_id

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.auth.passkey_check import Registered
    from z4j_brain.auth.relying_party import RelyingParty
    from z4j_brain.brain import Brain
    from z4j_brain.store.sessions import Session

MOST_PASSKEYS = 20


class TooManyPasskeysError(Exception):
    """The account has `MOST_PASSKEYS`."""


class KnownPasskeyError(Exception):
    """The passkey is there already, for this account or for another one."""


class NoSuchPasskeyError(Exception):
    """The account has no such passkey."""


class Wanted(msgspec.Struct, frozen=True):
    """What an authenticator has to be told to make a passkey."""

    challenge: bytes
    existing: list[bytes]


class Added(msgspec.Struct, frozen=True):
    """A new passkey, and recovery codes if it is the account's first second step."""

    passkey: Passkey
    recovery_codes: list[str]

    def __repr__(self) -> str:
        return f"Added(passkey={self.passkey.id})"


async def begin(
    brain: Brain, author: Author, session: Session, password: str, party: RelyingParty
) -> Wanted:
    """Return what a new passkey has to sign.

    Raises `NotInstalledError`, `TooManyPasskeysError`, and what `confirm_password` raises.
    """
    passkey_check.require_installed()
    await account.confirm_password(brain, author, session, password)
    found = await brain.database.run(passkeys.of_user, session.user.id)
    if len(found) >= MOST_PASSKEYS:
        raise TooManyPasskeysError
    challenge = passkey_challenges.make(brain.keys, _purpose(session, party), clock.now())
    return Wanted(challenge, [one.credential_id for one in found if one.rp_id == party.id])


async def add(
    brain: Brain,
    author: Author,
    session: Session,
    party: RelyingParty,
    given: Registration,
    name: str,
) -> Added:
    """Store a passkey that has signed a challenge of `begin`, in the same session.

    Raises `NotInstalledError`, `PasskeyRefusedError`, `KnownPasskeyError`, `TooManyPasskeysError`.
    """
    passkey_check.require_installed()
    challenge = await asyncio.to_thread(passkey_check.challenge_of, given.client_data)
    if not passkey_challenges.is_good(brain.keys, _purpose(session, party), challenge, clock.now()):
        raise PasskeyRefusedError("This took too long. Begin again.")
    checked = await asyncio.to_thread(passkey_check.registered, party, given, challenge)
    made = recovery_codes.make()

    def work(connection: Connection) -> tuple[Added, list[UUID]]:
        now, user_id = clock.now(), session.user.id
        users.lock_account(connection, user_id)
        if not passkey_challenges.use_up(connection, brain.keys, challenge, now):
            raise PasskeyRefusedError("This was sent before. Begin again.")
        was_on = second_factors.is_on(connection, user_id)
        new = _store(connection, user_id, party, checked, name, now)
        ended: list[UUID] = []
        if not was_on:
            recovery_codes.store(connection, user_id, made, now)
            ended = sessions.remove_of_user(connection, user_id, but=session.id)
        after = {"name": name, "id": str(new.id), "sessions_ended": len(ended)}
        record(connection, author, "passkey.added", user_target(session.user), after=after)
        return Added(new, [] if was_on else made), ended

    added, ended = await brain.database.run(work, write=True)
    brain.session_watch.end(ended)
    return added


async def remove(
    brain: Brain, author: Author, session: Session, password: str, passkey_id: UUID
) -> None:
    """Delete a passkey; raises `NoSuchPasskeyError`, and what `confirm_password` raises."""
    await account.confirm_password(brain, author, session, password)

    def work(connection: Connection) -> None:
        users.lock_account(connection, session.user.id)
        name = passkeys.remove(connection, session.user.id, passkey_id)
        if name is None:
            raise NoSuchPasskeyError
        second_factors.remove_idle_codes(connection, session.user.id)
        before = {"name": name, "id": str(passkey_id)}
        record(connection, author, "passkey.removed", user_target(session.user), before=before)

    await brain.database.run(work, write=True)


def _store(
    connection: Connection,
    user_id: UUID,
    party: RelyingParty,
    checked: Registered,
    name: str,
    now: int,
) -> Passkey:
    if passkeys.count(connection, user_id) >= MOST_PASSKEYS:
        raise TooManyPasskeysError
    if passkeys.find(connection, checked.credential_id) is not None:
        raise KnownPasskeyError
    new = Passkey(
        id=new_id(),
        user_id=user_id,
        credential_id=checked.credential_id,
        public_key=checked.public_key,
        rp_id=party.id,
        name=name,
        sign_count=checked.sign_count,
        created_at=now,
        last_used_at=None,
    )
    passkeys.create(connection, new)
    return new


def _purpose(session: Session, party: RelyingParty) -> str:
    return f"add\n{party.id}\n{session.id}"
