"""What people do with their own account: change the password, end sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from z4j_brain import clock
from z4j_brain.audit.author import user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import back_off, sign_in
from z4j_brain.auth.password_rules import check_new
from z4j_brain.store import one_time_tokens, sessions, users

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.auth.sign_in import SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.store.sessions import Session
    from z4j_brain.store.users import Account


class WrongPasswordError(Exception):
    """This is not the password of the account."""


async def confirm_password(
    brain: Brain, author: Author, session: Session, password: str
) -> Account:
    """Make sure that the owner is at the keyboard, not just somebody with the session.

    Raises `WrongPasswordError`, `WaitError` after several, `BusyError`. Attempts are counted by
    session, so that a stolen one neither guesses for long nor keeps its owner from anything. Each
    wrong one is recorded.
    """
    subjects = back_off.subjects_of_session(brain.keys, session.id)
    await back_off.attempt(brain, subjects, clock.now())
    account = await brain.database.run(users.find_account, session.user.email)
    stored = account.password_hash if account else None
    if not await brain.passwords.check(stored, password) or account is None:
        await brain.database.run(_tell_refused, author, session, write=True)
        raise WrongPasswordError
    await brain.database.run(back_off.succeed, subjects, write=True)
    return account


async def change_password(
    brain: Brain, author: Author, session: Session, current: str, new: str, visitor: Visitor
) -> SignedIn:
    """Replace the password, end every session of the account and open a new one for this browser.

    Raises what `confirm_password` does, and `PasswordRefusedError`.
    """
    account = await confirm_password(brain, author, session, current)
    check_new(new, email=account.user.email, name=account.user.name)
    password_hash = await brain.passwords.hash_async(new)

    def work(connection: Connection) -> tuple[SignedIn, list[UUID]]:
        ended = replace_password(connection, author, account, password_hash)
        return sign_in.open_session(connection, brain, account.user, visitor), ended

    signed_in, ended = await brain.database.run(work, write=True)
    brain.session_watch.end(ended)
    return signed_in


def replace_password(
    connection: Connection, author: Author, account: Account, password_hash: str
) -> list[UUID]:
    """Store the hash of a new password, end all sessions and sign-ins under way; return their ids.

    Raises `WrongPasswordError` when somebody else has changed it meanwhile.
    """
    found = users.lock_account(connection, account.user.id)
    if found is None or found.password_hash != account.password_hash:
        raise WrongPasswordError
    users.set_password_hash(connection, account.user.id, password_hash)
    one_time_tokens.remove_of_user(connection, account.user.id)
    ended = sessions.remove_of_user(connection, account.user.id)
    after = {"sessions_ended": len(ended)}
    record(connection, author, "user.password_changed", user_target(account.user), after=after)
    return ended


def _tell_refused(connection: Connection, author: Author, session: Session) -> None:
    record(connection, author, "password.refused", user_target(session.user))


async def end_session(brain: Brain, author: Author, session: Session, session_id: UUID) -> bool:
    """End one session of the account; False when it has no such session."""
    return await _end(brain, author, session, only=session_id) > 0


async def end_other_sessions(brain: Brain, author: Author, session: Session) -> int:
    """End every session of the account but this one; return how many."""
    return await _end(brain, author, session, but=session.id)


async def _end(
    brain: Brain,
    author: Author,
    session: Session,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
) -> int:
    def work(connection: Connection) -> list[UUID]:
        ended = sessions.remove_of_user(connection, session.user.id, only=only, but=but)
        after = None if only == session.id else {"sessions_ended": len(ended)}
        if ended:
            record(connection, author, "session.ended", user_target(session.user), after=after)
        return ended

    ended = await brain.database.run(work, write=True)
    brain.session_watch.end(ended)
    return len(ended)
