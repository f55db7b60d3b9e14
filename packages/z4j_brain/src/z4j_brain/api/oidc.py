"""Signing in by the identity provider, and linking it to one's own account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from starlette.responses import Response

from z4j_brain.api import problems
from z4j_brain.api.context import Call, UserCall
from z4j_brain.api.problems import Problem
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import PUBLIC, SIGNED_IN, route
from z4j_brain.api.second_factor import OwnPassword
from z4j_brain.api.text import Password
from z4j_brain.api.times import Timestamp, rfc3339
from z4j_brain.auth import browser
from z4j_brain.auth.oidc import signing_in
from z4j_brain.auth.oidc.fetching import ProviderError
from z4j_brain.auth.oidc.provider import Provider
from z4j_brain.auth.oidc.signing_in import Departure


class DepartureView(msgspec.Struct, frozen=True):
    """Where the browser goes now: an address of the provider. Good for ten minutes, once."""

    url: str


class IdentityView(msgspec.Struct, frozen=True):
    """Whether the account is linked. `provider` is null where there is none to link.

    `needs_password` tells whether linking asks for the password.
    """

    provider: str | None
    linked_at: Timestamp | None
    needs_password: bool


class LinkForm(msgspec.Struct, frozen=True):
    """The password, unless nobody signs in by one here."""

    password: Password = ""


@route("POST", "/sign-in/oidc", permission=PUBLIC, max_body=64)
async def begin_oidc_sign_in(call: Call) -> DepartureView:
    """Begin to sign in by the identity provider; the answer sets a cookie for the way back."""
    provider = _provider(call)
    address = browser.oidc_return(call.request, call.brain.settings)
    with refusals(), _failures():
        departure = await signing_in.begin(call.brain, provider, address, call.address)
    return _depart(call, departure)


@route("GET", "/account/oidc", permission=SIGNED_IN)
async def read_own_identity(call: UserCall) -> IdentityView:
    """Tell whether one's account is linked to the identity provider."""
    provider = call.brain.provider
    if provider is None:
        return IdentityView(None, None, True)
    found = await signing_in.identity_of(call.brain, provider, call.user.id)
    linked_at = rfc3339(found.linked_at) if found else None
    return IdentityView(provider.config.name, linked_at, not provider.config.is_only_way)


@route("POST", "/account/oidc", permission=SIGNED_IN, max_body=8192)
async def begin_oidc_link(call: UserCall, body: LinkForm) -> DepartureView:
    """Begin to link the identity provider to one's account."""
    brain, provider = call.brain, _provider(call)
    address = browser.oidc_return(call.request, brain.settings)
    with refusals(), _failures():
        departure = await signing_in.begin_link(
            brain, call.author, provider, address, call.session, body.password
        )
    return _depart(call, departure)


@route("POST", "/account/oidc/off", permission=SIGNED_IN, max_body=8192)
async def unlink_oidc(call: UserCall, body: OwnPassword) -> None:
    """Sign in by password alone from now on."""
    with refusals():
        found = await signing_in.unlink(call.brain, call.author, call.session, body.password)
    if not found:
        raise problems.conflict("Your account is not linked.")


def _provider(call: Call) -> Provider:
    if call.brain.provider is None:
        raise problems.conflict("This server has no identity provider: see docs/oidc.md.")
    return call.brain.provider


def _depart(call: Call, departure: Departure) -> DepartureView:
    def give(response: Response) -> None:
        browser.set_oidc_cookie(
            response, call.brain.settings, departure.cookie, is_https=call.is_https
        )

    call.finishers.append(give)
    return DepartureView(departure.url)


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ProviderError as error:
        signing_in.logger.warning("sign-in by the identity provider cannot begin: %s", error)
        raise Problem(
            503,
            "provider-unavailable",
            "The identity provider does not answer as it should. The server's log says more.",
        ) from None
