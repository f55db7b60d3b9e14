"""Passkeys: one's own, and signing in with one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from z4j_brain.api import problems
from z4j_brain.api.context import Call, UserCall
from z4j_brain.api.passkey_forms import (
    ALGORITHMS,
    MAX_BODY,
    AssertionForm,
    AuthenticatorChoice,
    CreationOptions,
    KeyKind,
    PasskeyUser,
    RegistrationForm,
    RelyingPartyView,
    RequestOptions,
    assertion_of,
    encoded,
    names_of,
    registration_of,
)
from z4j_brain.api.problems import Problem
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import PUBLIC, SIGNED_IN, route
from z4j_brain.api.second_factor import OwnPassword
from z4j_brain.api.session import SessionView, enter, second_step_too_late, visitor_of
from z4j_brain.api.text import Name, OneTimeToken
from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.auth import passkey_check, passkey_sign_in, passkeys, relying_party
from z4j_brain.auth.passkey_check import NotInstalledError, PasskeyRefusedError
from z4j_brain.auth.passkeys import (
    MOST_PASSKEYS,
    KnownPasskeyError,
    NoSuchPasskeyError,
    TooManyPasskeysError,
)
from z4j_brain.auth.relying_party import NoRelyingPartyError, RelyingParty
from z4j_brain.auth.second_step import TooLateError
from z4j_brain.store import passkeys as rows
from z4j_brain.store.passkeys import Passkey


class PasskeyView(msgspec.Struct, frozen=True):
    """A passkey of one's own. `host` is the name under which it works."""

    id: uuid.UUID
    name: str
    host: str
    created_at: Timestamp
    last_used_at: Timestamp | None


class PasskeyList(msgspec.Struct, frozen=True):
    """All of them, the oldest first; `unavailable` says why there can be no more, or is null."""

    items: list[PasskeyView]
    most: int
    unavailable: str | None


class PasskeyForm(msgspec.Struct, frozen=True):
    """A name for the new passkey, and what the browser gave."""

    name: Name
    credential: RegistrationForm


class PasskeyCreated(msgspec.Struct, frozen=True):
    """The new passkey, and recovery codes, this once, if it is the first second step."""

    passkey: PasskeyView
    recovery_codes: list[str]


class FirstStep(msgspec.Struct, frozen=True):
    """What `POST /sign-in` answered, or null to sign in by passkey alone."""

    second_step: OneTimeToken | None = None


class PasskeySignIn(msgspec.Struct, frozen=True):
    """What the browser gave, and what `POST /sign-in` answered, if it was asked before."""

    credential: AssertionForm
    second_step: OneTimeToken | None = None


@route("GET", "/account/passkeys", permission=SIGNED_IN, before_second_factor=True)
async def list_passkeys(call: UserCall) -> PasskeyList:
    """List one's own passkeys."""
    found = await call.brain.database.run(rows.of_user, call.user.id)
    return PasskeyList([_view(one) for one in found], MOST_PASSKEYS, _why_not(call))


@route(
    "POST",
    "/account/passkeys/options",
    permission=SIGNED_IN,
    max_body=8192,
    before_second_factor=True,
)
async def begin_passkey(call: UserCall, body: OwnPassword) -> CreationOptions:
    """Return what `navigator.credentials.create` needs to make a passkey."""
    with refusals(), _refusals():
        party = _party(call)
        wanted = await passkeys.begin(call.brain, call.author, call.session, body.password, party)
    user = call.user
    return CreationOptions(
        rp=RelyingPartyView(party.id, "z4j"),
        user=PasskeyUser(encoded(user.id.bytes), user.email, user.name),
        challenge=encoded(wanted.challenge),
        pub_key_cred_params=[KeyKind("public-key", number) for number in ALGORITHMS],
        exclude_credentials=names_of(wanted.existing),
        authenticator_selection=AuthenticatorChoice("required", True, "required"),
    )


@route(
    "POST",
    "/account/passkeys",
    permission=SIGNED_IN,
    status=201,
    max_body=MAX_BODY,
    before_second_factor=True,
)
async def add_passkey(call: UserCall, body: PasskeyForm) -> PasskeyCreated:
    """Add the passkey that was made; the first second step signs out everywhere else."""
    given = registration_of(body.credential)
    try:
        with _refusals():
            added = await passkeys.add(
                call.brain, call.author, call.session, _party(call), given, body.name
            )
    except PasskeyRefusedError as refused:
        raise problems.invalid_input("/credential", str(refused)) from None
    return PasskeyCreated(_view(added.passkey), added.recovery_codes)


@route("POST", "/account/passkeys/{passkey_id}/remove", permission=SIGNED_IN, max_body=8192)
async def remove_passkey(call: UserCall, passkey_id: uuid.UUID, body: OwnPassword) -> None:
    """Remove one of one's passkeys."""
    with refusals(), _refusals():
        await passkeys.remove(call.brain, call.author, call.session, body.password, passkey_id)


@route("POST", "/sign-in/passkey/options", permission=PUBLIC, max_body=1024)
async def begin_passkey_sign_in(call: Call, body: FirstStep) -> RequestOptions:
    """Return what `navigator.credentials.get` needs to sign in."""
    with refusals(), _refusals():
        party = _party(call)
        wanted = await passkey_sign_in.begin(call.brain, party, body.second_step, call.address)
    return RequestOptions(encoded(wanted.challenge), party.id, names_of(wanted.allowed))


@route("POST", "/sign-in/passkey", permission=PUBLIC, max_body=MAX_BODY)
async def sign_in_by_passkey(call: Call, body: PasskeySignIn) -> SessionView:
    """Sign in with a passkey, alone or after a password; the answer sets the session cookie."""
    given = assertion_of(body.credential)
    try:
        with refusals(), _refusals():
            signed_in = await passkey_sign_in.complete(
                call.brain, _party(call), given, body.second_step, visitor_of(call)
            )
    except PasskeyRefusedError as refused:
        raise Problem(401, "passkey-refused", str(refused)) from None
    return await enter(call, signed_in)


def _party(call: Call) -> RelyingParty:
    headers, url = call.request.headers, call.request.url
    origin = headers.get("origin") or f"{url.scheme}://{headers.get('host', '')}"
    return relying_party.at(origin, call.brain.settings.public_url)


def _why_not(call: Call) -> str | None:
    try:
        passkey_check.require_installed()
        _party(call)
    except NotInstalledError:
        return passkey_check.ADVICE
    except NoRelyingPartyError as error:
        return str(error)
    return None


def _view(one: Passkey) -> PasskeyView:
    return PasskeyView(
        one.id, one.name, one.rp_id, rfc3339(one.created_at), rfc3339(one.last_used_at)
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except NotInstalledError:
        raise Problem(409, "passkeys-unavailable", passkey_check.ADVICE) from None
    except NoRelyingPartyError as error:
        raise Problem(409, "passkeys-unavailable", str(error)) from None
    except TooManyPasskeysError:
        raise problems.conflict(
            f"You have {MOST_PASSKEYS} passkeys. Remove one that you use no more."
        ) from None
    except KnownPasskeyError:
        raise problems.conflict("This passkey is there already.") from None
    except NoSuchPasskeyError:
        raise problems.not_found("passkey") from None
    except TooLateError:
        raise second_step_too_late() from None
