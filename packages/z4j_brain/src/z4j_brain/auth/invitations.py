"""Inviting people to a project by a link that works once."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy.exc import IntegrityError

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, Target, from_request, person, user_target
from z4j_brain.audit.recording import moment, record
from z4j_brain.auth import sign_in
from z4j_brain.auth.password_rules import check_new
from z4j_brain.auth.policy import TABLE
from z4j_brain.auth.rate_limits import ONE_TIME_TOKENS
from z4j_brain.store import invitations, members, users
from z4j_brain.store.users import normal_email

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.auth.policy import Role
    from z4j_brain.auth.sign_in import SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys
    from z4j_brain.store.invitations import InvitationRow
    from z4j_brain.store.users import User

HOUR_US = 3_600_000_000
MOST_OPEN = 500
_INVITING = sorted(TABLE["member.manage"])


class InvitationError(Exception):
    """The link is unknown, used, too old, or who made it may not invite any more."""


class WrongPersonError(Exception):
    """The invitation is for another e-mail address; the argument says which."""


class AlreadyMemberError(Exception):
    """Who is invited belongs to the project already."""


class HasAccountError(Exception):
    """The address has an account: its owner signs in and then accepts."""


class TooManyInvitationsError(Exception):
    """The project has `MOST_OPEN` open invitations."""


class Invited(msgspec.Struct, frozen=True):
    """A new invitation; its token is shown once and stored nowhere."""

    id: uuid.UUID
    token: str

    def __repr__(self) -> str:
        return f"Invited(id={self.id})"


def invite(
    connection: Connection,
    by: Author,
    project_id: uuid.UUID,
    *,
    email: str,
    role: Role,
    invited_by: uuid.UUID,
    now: int,
    valid_hours: int,
) -> Invited:
    """Make an invitation; an older one of the same address stops working.

    Raises `AlreadyMemberError`, `TooManyInvitationsError`.
    """
    members.lock(connection, project_id)
    address = normal_email(email)
    if members.has_email(connection, project_id, address):
        raise AlreadyMemberError
    if invitations.count(connection, project_id, now) >= MOST_OPEN:
        raise TooManyInvitationsError
    token, expires_at = secrets.token_urlsafe(32), now + valid_hours * HOUR_US
    made, former = invitations.create(
        connection,
        project_id,
        email=address,
        role=role,
        token_hash=by.keys.one_time_hash(token),
        invited_by=invited_by,
        now=now,
        expires_at=expires_at,
    )
    record(
        connection,
        by,
        "invitation.made",
        Target("invitation", str(made), address),
        project_id=project_id,
        before=None if former is None else {"id": str(former)},
        after={"role": role.value, "expires_at": moment(expires_at)},
        now=now,
    )
    return Invited(made, token)


def withdraw(
    connection: Connection, by: Author, project_id: uuid.UUID, invitation_id: uuid.UUID
) -> bool:
    """Make the link of an invitation useless; tell whether there was one."""
    removed = invitations.remove(connection, project_id, invitation_id)
    if removed is None:
        return False
    email, role = removed
    record(
        connection,
        by,
        "invitation.revoked",
        Target("invitation", str(invitation_id), email),
        project_id=project_id,
        before={"role": role},
    )
    return True


def of_project(connection: Connection, project_id: uuid.UUID, now: int) -> list[InvitationRow]:
    """Return the open invitations of a project, by e-mail address."""
    return invitations.of_project(connection, project_id, now, _INVITING)


async def check(brain: Brain, token: str, address: str | None) -> tuple[InvitationRow, bool]:
    """Return the invitation, and whether its address has an account.

    Raises `InvitationError`, and `WaitError` of `auth.waits` after several.
    """
    async with brain.limits.counting(ONE_TIME_TOKENS, address, InvitationError):
        return await brain.database.run(_look_up, brain.keys, token, clock.now())


def _look_up(
    connection: Connection, keys: Keys, token: str, now: int
) -> tuple[InvitationRow, bool]:
    found = _find(connection, keys, token, now)
    return found, users.find_account(connection, found.email) is not None


async def accept(brain: Brain, by: Author, token: str, user: User) -> None:
    """Make somebody a member who is signed in.

    Raises `InvitationError`, `WrongPersonError`, `AlreadyMemberError`, and `WaitError` after
    several wrong tokens.
    """
    async with brain.limits.counting(ONE_TIME_TOKENS, by.address, InvitationError):
        await brain.database.run(_accept, by, token, user, clock.now(), write=True)


def _accept(connection: Connection, by: Author, token: str, user: User, now: int) -> None:
    found = _find(connection, by.keys, token, now)
    if found.email != user.email:
        raise WrongPersonError(found.email)
    members.lock(connection, found.project_id)
    if members.find(connection, found.project_id, user.id) is not None:
        raise AlreadyMemberError
    enter(connection, found, user)
    tell_entry(connection, by, found, user)


async def sign_up(
    brain: Brain, token: str, *, name: str, password: str, visitor: Visitor
) -> SignedIn:
    """Make an account for the invited address, a member of the project, and sign it in.

    Raises what `check` does, `HasAccountError`, `PasswordRefusedError` of `auth.password_rules`,
    `BusyError` of `auth.passwords`, and `PasswordsOffError` of `auth.sign_in`. The password is
    hashed for links that work only, so that strangers cannot burn our time.
    """
    sign_in.check_passwords_on(brain.settings)
    invitation, has_account = await check(brain, token, visitor.address)
    if has_account:
        raise HasAccountError
    check_new(password, email=invitation.email, name=name)
    password_hash = await brain.passwords.hash_async(password)
    stranger = from_request(brain.keys, SERVER, visitor.address)

    def work(connection: Connection) -> SignedIn:
        now = clock.now()
        found = _find(connection, brain.keys, token, now)
        user = users.create(
            connection,
            email=found.email,
            name=name,
            password_hash=password_hash,
            is_admin=False,
            now=now,
        )
        enter(connection, found, user)
        signed_in = sign_in.open_session(connection, brain, user, visitor)
        author, target = msgspec.structs.replace(stranger, actor=person(user)), user_target(user)
        record(connection, author, "user.created", target, after={"by": "invitation"})
        sign_in.tell_opened(connection, author, user, "invitation")
        tell_entry(connection, author, found, user)
        return signed_in

    try:
        return await brain.database.run(work, write=True)
    except IntegrityError:
        raise HasAccountError from None


def _find(connection: Connection, keys: Keys, token: str, now: int) -> InvitationRow:
    found = invitations.find_token(connection, keys.one_time_hash(token), now, _INVITING)
    if found is None or not found.is_backed:
        raise InvitationError
    return found


def awaiting(connection: Connection, email: str, now: int) -> list[InvitationRow]:
    """Return the invitations of an address that work, in all projects."""
    found = invitations.of_email(connection, email, now, _INVITING)
    return [each for each in found if each.is_backed]


def enter(connection: Connection, invitation: InvitationRow, user: User) -> None:
    """Use an invitation up: somebody becomes a member. Raises `InvitationError`."""
    if not invitations.remove(connection, invitation.project_id, invitation.id):
        raise InvitationError
    users.set_role(connection, invitation.project_id, user.id, invitation.role)


def tell_entry(connection: Connection, by: Author, invitation: InvitationRow, user: User) -> None:
    """Record that somebody has entered; call it after everything of the instance."""
    project_id, role = invitation.project_id, {"role": invitation.role}
    target = Target("invitation", str(invitation.id), invitation.email)
    who = {"invited_by": invitation.invited_by}
    record(connection, by, "invitation.accepted", target, project_id=project_id, before=who)
    record(connection, by, "member.added", user_target(user), project_id=project_id, after=role)
