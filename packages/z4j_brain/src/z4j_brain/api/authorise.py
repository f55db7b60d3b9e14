"""Decides whether a request may reach the handler of its route, before anything of it is decoded.

A project that the caller may not enter is answered like one that does not exist: the same query,
the same body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.requests import Request

from z4j_brain.api import problems
from z4j_brain.api.context import Call, InstanceCall, ProjectCall, UserCall
from z4j_brain.api.problems import Problem
from z4j_brain.api.route import PUBLIC, SAFE, SIGNED_IN, Route
from z4j_brain.auth import api_keys, browser, key_text
from z4j_brain.auth.api_keys import KeyAddressError, KeyRefusedError
from z4j_brain.auth.waits import WaitError

if TYPE_CHECKING:
    from z4j_brain.brain import Brain


_CHALLENGE = {"WWW-Authenticate": "Bearer"}


async def authorise(brain: Brain, route: Route, slug: str | None, request: Request) -> Call:
    """Return the call for the route's handler; raise the `Problem` when the caller may not."""
    _refuse_key_in_address(request)
    key = _key_of(request)
    if key is not None and route.permission != PUBLIC:
        return await _by_key(brain, route, slug, request, key)
    is_of_project = route.call_type is ProjectCall
    session, project = await browser.find_access(brain, request, slug if is_of_project else None)
    if request.method not in SAFE:
        _refuse_forgery(brain, route, request, is_signed_in=session is not None)
    if route.permission == PUBLIC:
        return Call(brain, request, session)
    if session is None:
        raise problems.sign_in_required()
    if session.owes_second_factor and not route.before_second_factor:
        raise problems.second_factor_required()
    if route.permission == SIGNED_IN:
        return UserCall(brain, request, session)
    call: ProjectCall | InstanceCall
    if is_of_project:
        if project is None:
            raise problems.not_found("project")
        call = ProjectCall(brain, request, session, user=session.user, project=project)
    else:
        call = InstanceCall(brain, request, session, user=session.user)
    call.require(route.permission)
    return call


def _key_of(request: Request) -> str | None:
    """Return what stands where a key stands; other bearers, as of a proxy, are none of ours."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    value = value.strip()
    is_key = scheme.lower() == "bearer" and value.startswith(key_text.PREFIX)
    return value if is_key else None


async def _by_key(
    brain: Brain, route: Route, slug: str | None, request: Request, text: str
) -> Call:
    """Authorise an API key. No page of another site can send one, so nothing else is asked for."""
    address = request.client.host if request.client else None
    is_of_project = route.call_type is ProjectCall
    try:
        key, project = await api_keys.find_access(
            brain, text, address, slug if is_of_project else None
        )
    except WaitError as wait:
        raise problems.too_many_requests(wait.seconds) from None
    except KeyRefusedError as error:
        raise Problem(401, "key-invalid", str(error), headers=_CHALLENGE) from None
    except KeyAddressError:
        raise Problem(
            403, "key-address-refused", f"This API key may not be used from {address}."
        ) from None
    if route.permission == SIGNED_IN:
        raise Problem(
            403, "session-needed", "This concerns a person's own account. Sign in to do it."
        )
    call: ProjectCall | InstanceCall
    if is_of_project:
        if project is None:
            raise problems.not_found("project")
        call = ProjectCall(brain, request, None, user=key.owner, key=key, project=project)
    else:
        call = InstanceCall(brain, request, None, user=key.owner, key=key)
    call.require(route.permission)
    return call


def _refuse_key_in_address(request: Request) -> None:
    query: bytes = request.scope.get("query_string", b"")
    sent = unquote(f"{request.scope['path']}?{query.decode('ascii', 'replace')}")
    if key_text.is_in(sent):
        raise Problem(
            400,
            "key-in-url",
            "Send the API key as Authorization: Bearer. Addresses are logged on their way: revoke"
            " this key and make a new one.",
        )


def _refuse_forgery(brain: Brain, route: Route, request: Request, *, is_signed_in: bool) -> None:
    if not browser.is_same_origin(request):
        raise Problem(
            403,
            "origin-refused",
            "The Origin header must name this server. Behind a reverse proxy, pass on Host"
            " and X-Forwarded-Proto, and name the proxy in Z4J_TRUSTED_PROXIES.",
        )
    if route.permission == PUBLIC or not is_signed_in:
        return
    if not browser.has_csrf_token(brain, request):
        raise Problem(
            403, "csrf-token-invalid", "Send X-CSRF-Token with the csrf_token of GET /session."
        )
