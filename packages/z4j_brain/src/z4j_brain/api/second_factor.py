"""One's own second step: an authenticator app and recovery codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from z4j_brain.api import problems
from z4j_brain.api.context import UserCall
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import SIGNED_IN, route
from z4j_brain.api.text import OneTimeCode, Password
from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.auth import second_factor
from z4j_brain.auth.second_factor import AlreadyOnError, NotBegunError, NotOnError, WrongCodeError
from z4j_brain.auth.totp_secrets import SecretLostError


class SecondFactorView(msgspec.Struct, frozen=True):
    """Whether sign-in asks for a code of an app, and since when."""

    is_on: bool
    since: Timestamp | None
    recovery_codes_left: int


class OwnPassword(msgspec.Struct, frozen=True):
    """The password, to show that the owner is at the keyboard."""

    password: Password


class EnrolmentView(msgspec.Struct, frozen=True):
    """What the app has to be told: the secret in base 32, or all of it as an URI for a QR code."""

    secret: str
    uri: str


class CodeForm(msgspec.Struct, frozen=True):
    """A code that the app shows."""

    code: OneTimeCode


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Ten codes, each good for one sign-in; they are shown here and never again."""

    codes: list[str]


@route("GET", "/account/second-factor", permission=SIGNED_IN, before_second_factor=True)
async def read_second_factor(call: UserCall) -> SecondFactorView:
    """Tell whether one's sign-in has a second step."""
    found = await second_factor.state(call.brain, call.session)
    return SecondFactorView(
        found.confirmed_at is not None, rfc3339(found.confirmed_at), found.codes_left
    )


@route(
    "POST",
    "/account/second-factor",
    permission=SIGNED_IN,
    status=201,
    max_body=8192,
    before_second_factor=True,
)
async def begin_second_factor(call: UserCall, body: OwnPassword) -> EnrolmentView:
    """Make a secret for an authenticator app; it counts once a code confirms it."""
    with refusals(), _refusals():
        made = await second_factor.begin(call.brain, call.author, call.session, body.password)
    return EnrolmentView(made.secret, made.uri)


@route(
    "POST",
    "/account/second-factor/confirm",
    permission=SIGNED_IN,
    max_body=1024,
    before_second_factor=True,
)
async def confirm_second_factor(call: UserCall, body: CodeForm) -> RecoveryCodes:
    """Ask for codes from now on; signs out everywhere else."""
    with _refusals():
        made = await second_factor.confirm(call.brain, call.author, call.session, body.code)
    return RecoveryCodes(made)


@route("POST", "/account/recovery-codes", permission=SIGNED_IN, max_body=8192)
async def replace_recovery_codes(call: UserCall, body: OwnPassword) -> RecoveryCodes:
    """Make new recovery codes; the former ones work no more."""
    with refusals(), _refusals():
        made = await second_factor.new_codes(call.brain, call.author, call.session, body.password)
    return RecoveryCodes(made)


@route("POST", "/account/second-factor/off", permission=SIGNED_IN, max_body=8192)
async def turn_second_factor_off(call: UserCall, body: OwnPassword) -> None:
    """Ask for no code any more; passkeys stay."""
    with refusals(), _refusals():
        await second_factor.turn_off(call.brain, call.author, call.session, body.password)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except AlreadyOnError:
        raise problems.conflict("There is an authenticator app. Turn that off first.") from None
    except NotOnError:
        raise problems.conflict("There is no second step. Set one up first.") from None
    except (NotBegunError, SecretLostError):
        raise problems.conflict("This took too long. Begin again for a new QR code.") from None
    except WrongCodeError:
        raise problems.invalid_input(
            "/code", "This code is wrong or was used. Wait for the next; check the device's clock."
        ) from None
