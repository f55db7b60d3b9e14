"""`/sign-in/once?token=…`: a link that signs in one browser, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from z4j_brain.api import problems
from z4j_brain.auth import browser, sign_in
from z4j_brain.auth.sign_in import LinkError, Visitor
from z4j_brain.auth.waits import WaitError

if TYPE_CHECKING:
    from z4j_brain.brain import Brain

_LONGEST_TOKEN = 128


class OneTimeSignIn:
    """The endpoint of the links that the command line prints."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    async def endpoint(self, request: Request) -> Response:
        """Sign in and go to the dashboard, or to its sign-in page when the link is used up."""
        settings = self._brain.settings
        token = request.query_params.get("token", "")
        visitor = Visitor(
            request.client.host if request.client else None,
            request.headers.get("user-agent"),
            browser.session_token(request),
            browser.known_token(request),
        )
        signed_in = None
        try:
            if 0 < len(token) <= _LONGEST_TOKEN:
                signed_in = await sign_in.with_link(self._brain, token, visitor)
        except LinkError:
            pass
        except WaitError as wait:
            return problems.too_many_requests(wait.seconds).response()
        target = "/" if signed_in else "/sign-in"
        response = RedirectResponse(settings.root_path + target, 303, {"Cache-Control": "no-store"})
        if signed_in is not None:
            browser.set_cookies(
                response, settings, signed_in, is_https=request.url.scheme == "https"
            )
        return response
