"""`/sign-in/oidc/callback`: where the identity provider sends the browser back to.

Every way on is an address of ours that is written here; nothing of the request gets into one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from z4j_brain.api import problems
from z4j_brain.auth import browser
from z4j_brain.auth.oidc import signing_in
from z4j_brain.auth.oidc.accounts import OidcRefusedError
from z4j_brain.auth.oidc.signing_in import Arrival
from z4j_brain.auth.sign_in import SecondStep, SignedIn, Visitor

if TYPE_CHECKING:
    from z4j_brain.auth.oidc.provider import Provider
    from z4j_brain.brain import Brain

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_LONGEST = 8_192


class OidcCallback:
    """The endpoint of the way back."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    async def endpoint(self, request: Request) -> Response:
        """Sign in, ask for the second step, or link; then go to a page that says how it ended."""
        brain, provider = self._brain, self._brain.provider
        if provider is None:
            return problems.not_found().response()
        is_https = request.url.scheme == "https"
        outcome = await self._arrive(provider, request)
        response = self._redirect(outcome if isinstance(outcome, str) else _target(outcome))
        browser.clear_oidc_cookie(response, brain.settings, is_https=is_https)
        if isinstance(outcome, SignedIn):
            browser.set_cookies(response, brain.settings, outcome, is_https=is_https)
        return response

    async def _arrive(
        self, provider: Provider, request: Request
    ) -> SignedIn | SecondStep | str | None:
        """Return what came of it; a text is a page that says why nothing did."""
        arrival = _arrival(request, browser.oidc_return(request, self._brain.settings))
        session = await browser.find_session(self._brain, request)
        visitor = Visitor(
            request.client.host if request.client else None,
            request.headers.get("user-agent"),
            browser.session_token(request),
            browser.known_token(request),
        )
        try:
            return await signing_in.finish(self._brain, provider, arrival, visitor, session)
        except OidcRefusedError as refused:
            return f"/sign-in/provider?outcome={refused.reason.value}"

    def _redirect(self, target: str) -> Response:
        return RedirectResponse(self._brain.settings.root_path + target, 303, _HEADERS)


def _target(outcome: SignedIn | SecondStep | None) -> str:
    if isinstance(outcome, SignedIn):
        return "/sign-in/provider?outcome=signed-in"
    if isinstance(outcome, SecondStep):  # browsers do not send what follows `#`
        return f"/sign-in/provider#{outcome.token}&{','.join(outcome.ways)}"
    return "/sign-in/provider?outcome=linked"


def _arrival(request: Request, redirect_uri: str) -> Arrival:
    """Read the answer of RFC 6749, section 4.1.2; what is there twice counts as not there."""
    given: dict[str, str] = {}
    for name in ("state", "code", "error", "iss"):
        values = request.query_params.getlist(name)
        if len(values) == 1 and len(values[0]) <= _LONGEST:
            given[name] = values[0]
    return Arrival(
        state=given.get("state", ""),
        cookie=browser.oidc_cookie(request),
        redirect_uri=redirect_uri,
        code=given.get("code", ""),
        error=given.get("error", ""),
        iss=given.get("iss"),
    )
