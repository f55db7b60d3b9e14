"""The first run: a one-time token, and what it makes: the first admin and the first project."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Target, from_request, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import sign_in
from z4j_brain.auth.password_rules import check_new
from z4j_brain.auth.rate_limits import ONE_TIME_TOKENS
from z4j_brain.store import one_time_tokens, projects, users
from z4j_brain.store.one_time_tokens import SETUP

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.sign_in import SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys

VALID_US = 24 * 3_600_000_000


class SetupTokenError(Exception):
    """The token is unknown, used or too old, or somebody has an account already."""


def mint_token(connection: Connection, keys: Keys, now: int) -> str | None:
    """Make a set-up token that works for 24 hours; None when somebody has an account."""
    if users.any_exist(connection):
        return None
    token = secrets.token_urlsafe(32)
    one_time_tokens.create(
        connection,
        token_hash=keys.one_time_hash(token),
        purpose=SETUP,
        now=now,
        expires_at=now + VALID_US,
    )
    return token


async def check(brain: Brain, token: str, address: str | None) -> None:
    """Raise `SetupTokenError` unless a set-up token would work now, `WaitError` after several."""
    async with brain.limits.counting(ONE_TIME_TOKENS, address, SetupTokenError):
        if not await brain.database.run(
            one_time_tokens.is_valid, brain.keys.one_time_hash(token), SETUP, clock.now()
        ):
            raise SetupTokenError


async def complete(
    brain: Brain,
    token: str,
    *,
    email: str,
    name: str,
    password: str,
    project_name: str,
    visitor: Visitor,
) -> SignedIn:
    """Make admin, project and session in one transaction.

    Raises what `check` does, and `PasswordRefusedError` of `auth.password_rules`.

    The password is hashed for valid tokens only, so that strangers cannot burn our time.
    """
    await check(brain, token, visitor.address)
    check_new(password, email=email, name=name)
    password_hash = await brain.passwords.hash_async(password)
    stranger = from_request(brain.keys, SERVER, visitor.address)

    def work(connection: Connection) -> SignedIn:
        now = clock.now()
        one_time_tokens.lock(connection, SETUP)
        worked, _ = one_time_tokens.use(connection, brain.keys.one_time_hash(token), SETUP, now)
        if not worked or users.any_exist(connection):
            raise SetupTokenError
        one_time_tokens.remove_all(connection, SETUP)
        user = users.create(
            connection,
            email=email,
            name=name,
            password_hash=password_hash,
            is_admin=True,
            now=now,
        )
        project = projects.create(connection, name=project_name, now=now)
        users.set_role(connection, project.id, user.id, "admin")
        signed_in = sign_in.open_session(connection, brain, user, visitor)
        author = msgspec.structs.replace(stranger, actor=person(user))
        target, own = user_target(user), Target("project", str(project.id), project.slug)
        record(connection, author, "user.created", target, after={"is_admin": True})
        sign_in.tell_opened(connection, author, user, "setup")
        record(connection, author, "project.created", own, project_id=project.id)
        role = {"role": "admin"}
        record(connection, author, "member.added", target, project_id=project.id, after=role)
        return signed_in

    return await brain.database.run(work, write=True)
