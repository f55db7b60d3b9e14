"""The first run: a one-time URL, one form, and the first admin is signed in."""

from __future__ import annotations

import msgspec

from z4j_brain.api.context import Call
from z4j_brain.api.problems import Problem
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import PUBLIC, route
from z4j_brain.api.session import SessionView, enter, visitor_of
from z4j_brain.api.text import Email, Name, NewPassword, OneTimeToken
from z4j_brain.auth import setup


class SetupForm(msgspec.Struct, frozen=True):
    """The first admin and the first project."""

    token: OneTimeToken
    email: Email
    name: Name
    password: NewPassword
    project_name: Name


class SetupQuery(msgspec.Struct, frozen=True):
    """The token of the set-up URL."""

    token: OneTimeToken = ""


class SetupCheck(msgspec.Struct, frozen=True):
    """Whether the form would be accepted."""

    valid: bool


@route("GET", "/setup/check", permission=PUBLIC)
async def check_setup_token(call: Call, query: SetupQuery) -> SetupCheck:
    """Tell whether a set-up token works."""
    try:
        with refusals():
            await setup.check(call.brain, query.token, call.address)
    except setup.SetupTokenError:
        return SetupCheck(valid=False)
    return SetupCheck(valid=True)


@route("POST", "/setup", permission=PUBLIC, status=201, max_body=8192)
async def complete_setup(call: Call, body: SetupForm) -> SessionView:
    """Make the first admin and the first project, and sign in."""
    try:
        with refusals():
            signed_in = await setup.complete(
                call.brain,
                body.token,
                email=body.email,
                name=body.name,
                password=body.password,
                project_name=body.project_name,
                visitor=visitor_of(call),
            )
    except setup.SetupTokenError:
        raise Problem(
            403,
            "setup-token-invalid",
            "This set-up link was used or is too old. Restart `z4j serve` for a new one, or sign"
            " in if there is an account.",
        ) from None
    return await enter(call, signed_in)
