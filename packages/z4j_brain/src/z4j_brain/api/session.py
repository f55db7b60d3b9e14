"""Who is signed in, signing in and out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from z4j_brain import __version__
from z4j_brain.api import problems
from z4j_brain.api.context import Call, UserCall
from z4j_brain.api.problems import Problem
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import PUBLIC, SIGNED_IN, route
from z4j_brain.api.text import OneTimeCode, OneTimeToken, Password
from z4j_brain.auth import (
    account,
    browser,
    passkey_check,
    second_factor_duty,
    second_step,
    sign_in,
)
from z4j_brain.auth.policy import Role, permissions_of
from z4j_brain.auth.second_step import CodeRefusedError, Refused, TooLateError
from z4j_brain.auth.sign_in import SecondStep, SignedIn, Visitor, Way, WrongCredentialsError
from z4j_brain.store import projects, users
from z4j_brain.store.projects import ProjectAccess
from z4j_brain.store.users import User

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.brain import Brain
    from z4j_brain.settings import Settings


class UserView(msgspec.Struct, frozen=True):
    """The person who is signed in."""

    id: uuid.UUID
    email: str
    name: str
    is_admin: bool


class ProjectView(msgspec.Struct, frozen=True):
    """A project that the person may enter."""

    slug: str
    name: str
    role: str
    permissions: list[str]


class SessionView(msgspec.Struct, frozen=True):
    """What a page needs to know first."""

    setup_needed: bool
    user: UserView | None
    csrf_token: str | None
    version: str
    projects: list[ProjectView]
    passkeys: bool
    """Whether the server can check passkeys."""
    second_factor_owed: bool
    """Whether a second step has to be set up before anything else; no project is told then."""
    second_step: str | None = None
    """Only in an answer of `POST /sign-in`: send it with a code to `POST /sign-in/code`, or with
    what a passkey signs to `POST /sign-in/passkey`."""
    second_step_ways: list[Way] = []
    """With it: what may be sent."""
    provider: str | None = None
    """What the button of the identity provider says; without one there is none."""
    by_password: bool = True
    """Whether anybody signs in by password here."""


class SignInForm(msgspec.Struct, frozen=True):
    """E-mail address and password."""

    email: Annotated[str, Meta(max_length=254)]
    password: Password


class SecondStepForm(msgspec.Struct, frozen=True):
    """What `POST /sign-in` answered, and a code."""

    second_step: OneTimeToken
    code: OneTimeCode


@route("GET", "/session", permission=PUBLIC)
async def read_session(call: Call) -> SessionView:
    """Tell who is signed in, and with what permissions."""
    token = browser.session_token(call.request) if call.session else None
    return await session_view(call.brain, call.session.user if call.session else None, token)


@route("POST", "/sign-in", permission=PUBLIC, max_body=8192)
async def sign_in_by_password(call: Call, body: SignInForm) -> SessionView:
    """Sign in; the answer sets the session cookie, or asks for the second step."""
    try:
        with refusals():
            outcome = await sign_in.with_password(
                call.brain, body.email, body.password, visitor_of(call)
            )
    except WrongCredentialsError:
        raise Problem(
            401, "sign-in-failed", "No account has this e-mail address and password."
        ) from None
    if isinstance(outcome, SecondStep):
        view = await session_view(call.brain, None, None)
        return msgspec.structs.replace(
            view, second_step=outcome.token, second_step_ways=list(outcome.ways)
        )
    return await enter(call, outcome)


@route("POST", "/sign-in/code", permission=PUBLIC, max_body=1024)
async def sign_in_by_code(call: Call, body: SecondStepForm) -> SessionView:
    """Take the second step of a sign-in; the answer sets the session cookie."""
    try:
        with refusals():
            signed_in = await second_step.complete(
                call.brain, body.second_step, body.code, visitor_of(call)
            )
    except TooLateError:
        raise second_step_too_late() from None
    except CodeRefusedError as refused:
        raise problems.invalid_input("/code", _REFUSED[refused.reason]) from None
    return await enter(call, signed_in)


_REFUSED = {
    Refused.WRONG: "This code is wrong or was used. Wait for the next; check the device's clock.",
    Refused.LOCKED: "Too many wrong codes were entered. Use a recovery code, or a browser in which"
    " you have signed in before.",
    Refused.LOST: "The server's secret has changed, and with it your app is lost. Use a recovery"
    " code, or ask an administrator for `z4j reset-mfa`.",
}


@route("POST", "/sign-out", permission=SIGNED_IN, before_second_factor=True)
async def sign_out(call: UserCall) -> SessionView:
    """End this session."""
    brain = call.brain
    await account.end_session(brain, call.author, call.session, call.session.id)

    def clear(response: Response) -> None:
        browser.clear_cookie(response, brain.settings, is_https=call.is_https)

    call.finishers.append(clear)
    return await session_view(brain, None, None)


def second_step_too_late() -> Problem:
    """401: the first step was too long ago."""
    return Problem(401, "second-step-too-late", "This took too long. Enter your password again.")


def visitor_of(call: Call) -> Visitor:
    """Describe where a sign-in comes from."""
    return Visitor(
        call.address,
        call.request.headers.get("user-agent"),
        browser.session_token(call.request),
        browser.known_token(call.request),
    )


async def enter(call: Call, signed_in: SignedIn) -> SessionView:
    """Give the browser its new session."""
    settings = call.brain.settings

    def give(response: Response) -> None:
        browser.set_cookies(response, settings, signed_in, is_https=call.is_https)

    call.finishers.append(give)
    return await session_view(call.brain, signed_in.user, signed_in.token)


async def session_view(brain: Brain, user: User | None, token: str | None) -> SessionView:
    """Return what a page of this person, or of nobody, starts from."""
    needed, owed, entered = await brain.database.run(_look_up, brain.settings, user)
    return SessionView(
        setup_needed=needed,
        user=UserView(user.id, user.email, user.name, user.is_admin) if user else None,
        csrf_token=brain.keys.csrf_token(token) if token else None,
        version=__version__,
        projects=[_project_view(project) for project in entered],
        passkeys=passkey_check.is_installed(),
        second_factor_owed=owed,
        provider=None if brain.provider is None else brain.provider.config.name,
        by_password=brain.settings.oidc_only == "off",
    )


def _look_up(
    connection: Connection, settings: Settings, user: User | None
) -> tuple[bool, bool, list[ProjectAccess]]:
    if user is None:
        return not users.any_exist(connection), False, []
    if second_factor_duty.is_owed(connection, settings, user):
        return False, True, []
    return False, False, projects.entered_by(connection, user.id)


def _project_view(project: ProjectAccess) -> ProjectView:
    permissions = sorted(permissions_of(Role(project.role)))
    return ProjectView(project.slug, project.name, project.role, permissions)
