"""Whose account somebody of the provider opens: the one linked to (issuer, subject), or a new one.

An e-mail address alone opens nothing that exists. A new account is made for somebody whose address
the provider has verified, and whom a group lets in or an open invitation awaits.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import Author, person, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import invitations, sign_in
from z4j_brain.auth.oidc import granting
from z4j_brain.auth.oidc.granting import Change
from z4j_brain.auth.sign_in import FirstStep, SecondStep, SignedIn
from z4j_brain.store import oidc_identities, second_factors, users
from z4j_brain.store.users import NO_PASSWORD

if TYPE_CHECKING:
    import uuid

    from sqlalchemy import Connection

    from z4j_brain.auth.oidc.claims import ToldPerson
    from z4j_brain.auth.oidc.granting import Changes, Grant
    from z4j_brain.auth.oidc.group_roles import GroupRoles
    from z4j_brain.auth.sign_in import Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.store.invitations import InvitationRow
    from z4j_brain.store.users import User


class Refusal(Enum):
    """Why somebody whom the provider knows does not get in; the value goes to the page."""

    LATE = "late"
    WAIT = "wait"
    REFUSED = "refused"
    PROVIDER = "provider"
    SETUP = "setup"
    NO_EMAIL = "no-email"
    NOT_INVITED = "not-invited"
    TAKEN = "taken"
    DISABLED = "disabled"
    SIGNED_OUT = "signed-out"
    ELSEWHERE = "elsewhere"
    HAS_ONE = "has-one"
    OTHER_EMAIL = "other-email"


class OidcRefusedError(Exception):
    """The sign-in, or the linking, ends here."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Entry(msgspec.Struct, frozen=True):
    """An account that was found or made, before anything is recorded of it."""

    user: User
    is_new: bool
    invited: tuple[InvitationRow, ...]
    changes: Changes


def enter(
    connection: Connection,
    brain: Brain,
    told: ToldPerson,
    table: GroupRoles,
    visitor: Visitor,
    stranger: Author,
) -> SignedIn | SecondStep:
    """Open a session, or ask for the account's second step; raises `OidcRefusedError`.

    Roles follow the groups before anything is opened.
    """
    if not users.any_exist(connection):
        raise OidcRefusedError(Refusal.SETUP)
    grant = granting.grant_of(connection, table, told.groups)
    entry = _known(connection, told, grant) or _made(connection, told, grant)
    user = entry.user
    opened: SignedIn | SecondStep
    if second_factors.is_on(connection, user.id):
        opened = sign_in.ask_second_step(connection, brain.keys, user.id, FirstStep.PROVIDER)
    else:
        opened = sign_in.open_session(connection, brain, user, visitor)
    by = msgspec.structs.replace(stranger, actor=person(user))
    _tell(connection, by, told, entry, is_open=isinstance(opened, SignedIn))
    return opened


def _tell(
    connection: Connection, by: Author, told: ToldPerson, entry: _Entry, *, is_open: bool
) -> None:
    """Record it all: first of the instance, then of the projects in the order of their ids."""
    user, changes = entry.user, entry.changes
    if entry.is_new:
        after = {"by": FirstStep.PROVIDER.value}
        record(connection, by, "user.created", user_target(user), after=after)
        tell_linked(connection, by, user, told)
    if is_open:
        sign_in.tell_opened(connection, by, user, FirstStep.PROVIDER.value)
    granting.tell_instance(connection, by, user, changes)
    entered: list[Change | InvitationRow] = [*changes.roles, *entry.invited]
    for each in sorted(entered, key=lambda one: one.project_id):
        if isinstance(each, Change):
            granting.tell_project(connection, by, user, each)
        else:
            invitations.tell_entry(connection, by, each, user)


def link(
    connection: Connection,
    told: ToldPerson,
    user_id: uuid.UUID,
    stranger: Author,
    *,
    must_share_email: bool,
) -> None:
    """Link an identity to the account of somebody who is signed in; raises `OidcRefusedError`."""
    account = users.lock_account(connection, user_id)
    if account is None or account.is_disabled:
        raise OidcRefusedError(Refusal.SIGNED_OUT)
    user = account.user
    found = oidc_identities.find(connection, told.issuer, told.subject)
    if found is not None and found.user_id != user.id:
        raise OidcRefusedError(Refusal.ELSEWHERE)
    if must_share_email and told.email != user.email:
        raise OidcRefusedError(Refusal.OTHER_EMAIL)
    if found is not None:
        return
    own = oidc_identities.of_user(connection, user.id)
    if any(each.issuer == told.issuer for each in own):
        raise OidcRefusedError(Refusal.HAS_ONE)
    oidc_identities.create(connection, told.issuer, told.subject, user.id, clock.now())
    tell_linked(connection, msgspec.structs.replace(stranger, actor=person(user)), user, told)


def tell_linked(connection: Connection, author: Author, user: User, told: ToldPerson) -> None:
    """Record that an identity opens an account from now on."""
    after = {"issuer": told.issuer, "subject": told.subject}
    record(connection, author, "identity.linked", user_target(user), after=after)


def _known(connection: Connection, told: ToldPerson, grant: Grant) -> _Entry | None:
    """Find the account that the identity is linked to."""
    found = oidc_identities.find(connection, told.issuer, told.subject)
    account = None if found is None else users.lock_account(connection, found.user_id)
    if account is None:
        return None
    if account.is_disabled:
        raise OidcRefusedError(Refusal.DISABLED)
    oidc_identities.touch(connection, told.issuer, told.subject, clock.now())
    return _Entry(account.user, False, (), granting.apply(connection, grant, account.user))


def _made(connection: Connection, told: ToldPerson, grant: Grant) -> _Entry:
    """Make an account without a password, for somebody who is awaited."""
    if told.email is None:
        raise OidcRefusedError(Refusal.NO_EMAIL)
    if users.find_account(connection, told.email) is not None:
        raise OidcRefusedError(Refusal.TAKEN)
    now = clock.now()
    # Where groups decide, an invitation cannot.
    awaited = [
        each
        for each in invitations.awaiting(connection, told.email, now)
        if each.project_id not in grant.roles
    ]
    if not awaited and not grant.lets_in:
        raise OidcRefusedError(Refusal.NOT_INVITED)
    user = users.create(
        connection,
        email=told.email,
        name=told.name,
        password_hash=NO_PASSWORD,
        is_admin=False,
        now=now,
    )
    oidc_identities.create(connection, told.issuer, told.subject, user.id, now)
    for each in awaited:
        invitations.enter(connection, each, user)
    changes = granting.apply(connection, grant, user)
    return _Entry(user, True, tuple(awaited), changes)
