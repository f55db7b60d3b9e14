"""Inviting people: links that work once, for one e-mail address."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import Call, ProjectCall, UserCall
from z4j_brain.api.problems import Problem
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import PUBLIC, SIGNED_IN, route
from z4j_brain.api.session import SessionView, enter, session_view, visitor_of
from z4j_brain.api.text import Email, Name, NewPassword, OneTimeToken
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import browser, invitations
from z4j_brain.auth.invitations import (
    AlreadyMemberError,
    HasAccountError,
    InvitationError,
    Invited,
    TooManyInvitationsError,
    WrongPersonError,
)
from z4j_brain.auth.policy import Role
from z4j_brain.store.invitations import InvitationRow


class InvitationView(msgspec.Struct, frozen=True):
    """An open invitation, without its link. It is void once who invited may not do so any more."""

    id: uuid.UUID
    email: str
    role: Role
    invited_by: str
    created_at: Timestamp
    expires_at: Timestamp
    void: bool


class InvitationList(msgspec.Struct, frozen=True):
    """Every open invitation of a project, by e-mail address."""

    items: list[InvitationView]


class InvitationForm(msgspec.Struct, frozen=True):
    """Who is invited, and as what."""

    email: Email
    role: Role
    valid_hours: Annotated[int, Meta(ge=1, le=720)] = 168


class InvitationMade(msgspec.Struct, frozen=True):
    """A new invitation; its link is shown here and never again."""

    id: uuid.UUID
    url: str


class InvitationToken(msgspec.Struct, frozen=True):
    """The part of the link after `#`."""

    token: OneTimeToken


class InvitationCheck(msgspec.Struct, frozen=True):
    """What the holder of a link is invited to. Who has an account signs in first."""

    project: str
    email: str
    role: Role
    has_account: bool


class SignUpForm(msgspec.Struct, frozen=True):
    """A new account for the invited address."""

    token: OneTimeToken
    name: Name
    password: NewPassword


@route("GET", "/projects/{project}/invitations", permission="member.manage")
async def list_invitations(call: ProjectCall) -> InvitationList:
    """List the open invitations."""
    found = await call.brain.database.run(invitations.of_project, call.project.id, now())
    return InvitationList([_view(row) for row in found])


@route("POST", "/projects/{project}/invitations", permission="member.manage", status=201)
async def invite_member(call: ProjectCall, body: InvitationForm) -> InvitationMade:
    """Invite somebody; an older link for the same address stops working."""

    def work(connection: Connection) -> Invited:
        return invitations.invite(
            connection,
            call.author,
            call.project.id,
            email=body.email,
            role=body.role,
            invited_by=call.user.id,
            now=now(),
            valid_hours=body.valid_hours,
        )

    try:
        made = await call.brain.database.run(work, write=True)
    except AlreadyMemberError:
        raise problems.conflict(f"{body.email} belongs to the project; change the role.") from None
    except TooManyInvitationsError:
        raise problems.conflict("There are many open invitations. Withdraw some first.") from None
    return InvitationMade(made.id, _url(call, made.token))


@route("DELETE", "/projects/{project}/invitations/{invitation_id}", permission="member.manage")
async def withdraw_invitation(call: ProjectCall, invitation_id: uuid.UUID) -> None:
    """Make the link of an invitation useless."""
    if not await call.brain.database.run(
        invitations.withdraw, call.author, call.project.id, invitation_id, write=True
    ):
        raise problems.not_found("invitation")


@route("POST", "/invitations/check", permission=PUBLIC, max_body=4096)
async def check_invitation(call: Call, body: InvitationToken) -> InvitationCheck:
    """Tell the holder of a link what it is for."""
    try:
        with refusals():
            found, has_account = await invitations.check(call.brain, body.token, call.address)
    except InvitationError:
        raise _invalid() from None
    return InvitationCheck(found.project_name, found.email, Role(found.role), has_account)


@route("POST", "/invitations/accept", permission=SIGNED_IN, max_body=4096)
async def accept_invitation(call: UserCall, body: InvitationToken) -> SessionView:
    """Become a member, with the account that is signed in."""
    brain = call.brain
    try:
        with refusals():
            await invitations.accept(brain, call.author, body.token, call.user)
    except InvitationError:
        raise _invalid() from None
    except WrongPersonError as error:
        raise problems.conflict(f"This invitation is for {error}. Sign in with that.") from None
    except AlreadyMemberError:
        raise problems.conflict("You belong to the project already.") from None
    token = browser.session_token(call.request)
    return await session_view(brain, call.user, token)


@route("POST", "/invitations/sign-up", permission=PUBLIC, status=201, max_body=8192)
async def sign_up(call: Call, body: SignUpForm) -> SessionView:
    """Make an account for the invited address and sign in."""
    try:
        with refusals():
            signed_in = await invitations.sign_up(
                call.brain,
                body.token,
                name=body.name,
                password=body.password,
                visitor=visitor_of(call),
            )
    except InvitationError:
        raise _invalid() from None
    except HasAccountError:
        raise problems.conflict("This address has an account. Sign in, then accept.") from None
    return await enter(call, signed_in)


def _url(call: ProjectCall, token: str) -> str:
    """Return the link. Browsers do not send what follows `#`, so no proxy logs it."""
    root = call.request.url.replace(path=call.brain.settings.root_path, query="", fragment="")
    return f"{str(root).rstrip('/')}/invitation#{token}"


def _invalid() -> Problem:
    return Problem(
        403,
        "invitation-invalid",
        "This invitation was used, withdrawn or is too old. Ask for a new one.",
    )


def _view(row: InvitationRow) -> InvitationView:
    return InvitationView(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        invited_by=row.invited_by,
        created_at=rfc3339(row.created_at),
        expires_at=rfc3339(row.expires_at),
        void=not row.is_backed,
    )
